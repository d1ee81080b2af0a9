/** A validator's HTTP side: `/netconfig`, `/partition-gossip` and `/snapshot` of PROTOCOL.md. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { gossipPushBytesMax, snapshotRequestBytesMax } from "../limits.ts";
import { deviated, type FaultHooks, honestHooks, type Pieces, passedOn } from "./fault-hooks.ts";
import type { PushOutcome } from "./gossip/pushed-messages.ts";
import type { HeldSnapshots } from "./held-snapshots.ts";
import { HttpError } from "./http-error.ts";
import { JsonServer, readBody, sendJson, urlOf } from "./json-server.ts";
import { listPieces, sendPieces } from "./response-body.ts";
import { ResponseSlots } from "./response-slots.ts";
import { parseSnapshotRequest } from "./snapshot-request.ts";

export interface ServerOptions {
  readonly netconfig: object;
  readonly snapshots: HeldSnapshots;
  /** Every message that the validator has for a cycle, each as JSON; `undefined` where it has none. */
  readonly gossipOf: (cycle: number) => readonly string[] | undefined;
  readonly conduct?: FaultHooks;
  /** Takes gossip that others push; a validator without it takes none. */
  readonly receiveGossip?: (body: string) => Promise<PushOutcome>;
  /** How it is, for `/healthz`. */
  readonly health?: () => object;
}

export function makeValidatorServer(options: ServerOptions): JsonServer {
  const answers = new ResponseSlots();
  const conduct = options.conduct ?? honestHooks();
  return new JsonServer(async (request, response) => {
    for (const intercept of conduct.intercept) {
      if (await intercept(request, response)) return;
    }
    const url = urlOf(request);
    switch (`${request.method} ${url.pathname}`) {
      case "GET /netconfig":
        return sendJson(response, deviated(conduct.netconfig, options.netconfig));
      case "GET /partition-gossip":
        return sendGossip(response, url.searchParams.get("cycle"), options, conduct);
      case "POST /snapshot":
        return sendSnapshot(request, response, options.snapshots, conduct, answers);
      case "POST /partition-gossip":
        return receiveGossip(request, response, options);
      case "GET /healthz":
        return sendJson(response, options.health?.() ?? {});
      default:
        throw new HttpError(404, `there is no ${request.method} ${url.pathname}`);
    }
  });
}

async function sendGossip(
  response: ServerResponse,
  cycleText: string | null,
  options: ServerOptions,
  conduct: FaultHooks,
): Promise<void> {
  if (cycleText === null || !/^\d{1,15}$/.test(cycleText))
    throw new HttpError(400, "cycle: not a whole number");
  const cycle = Number(cycleText);
  const messages = passedOn(conduct, cycle, options.gossipOf(cycle));
  if (messages === undefined) throw new HttpError(404, `no gossip for cycle ${cycleText}`);
  await sendPieces(response, listPieces("messages", messages));
}

async function receiveGossip(
  request: IncomingMessage,
  response: ServerResponse,
  { receiveGossip: receive }: ServerOptions,
): Promise<void> {
  if (receive === undefined) throw new HttpError(404, "gossip is not taken here");
  sendJson(response, await receive(await readBody(request, gossipPushBytesMax)));
}

async function sendSnapshot(
  request: IncomingMessage,
  response: ServerResponse,
  snapshots: HeldSnapshots,
  conduct: FaultHooks,
  answers: ResponseSlots,
): Promise<void> {
  const { timestamp, selection } = parseSnapshotRequest(await readBody(request, snapshotRequestBytesMax));
  await answers.use(request.socket.remoteAddress ?? "", async () => {
    const source = snapshots.find(timestamp);
    // From here to the end it must not be taken away.
    const release = source.hold?.();
    try {
      const served = deviated(conduct.select, selection);
      const context = { selection, accounts: source.count(served) };
      const rows = deviated(conduct.rows, source.select(served), context);
      const honest = listPieces("snapshot", texts(rows));
      const pieces = deviated<Pieces, [typeof context]>(conduct.text, honest, context);
      await sendPieces(response, pieces, { isGzip: conduct.isGzip });
    } finally {
      release?.();
    }
  });
}

function* texts(rows: Iterable<object>): Generator<string> {
  for (const row of rows) yield JSON.stringify(row);
}
