/** A validator's HTTP side: `/netconfig`, `/partition-gossip` and `/snapshot` of PROTOCOL.md. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { HttpError } from "../../http-server/http-error.ts";
import { ResponseSlots } from "../../http-server/response-slots.ts";
import { asCycle, type Cycle } from "../../protocol/brands.ts";
import {
  gossipPushBytesMax,
  snapshotRequestBytesMax,
  snapshotResponsesMax,
  snapshotResponsesPerAddressMax,
} from "../limits.ts";
import { deviated, type FaultHooks, forwardedGossip, honestHooks, type Pieces } from "./fault-hooks.ts";
import type { PushOutcome } from "./gossip/pushed-messages.ts";
import type { HeldSnapshots } from "./held-snapshots.ts";
import { JsonServer, readBody, sendJson, urlOf } from "./json-server.ts";
import { listPieces, sendPieces } from "./response-body.ts";
import { parseSnapshotRequest } from "./snapshot-request.ts";

export interface ServerOptions {
  readonly netconfig: object;
  readonly snapshots: HeldSnapshots;
  /** Returns the messages of a cycle, each as JSON; `undefined` where the validator has none. */
  readonly gossipOf: (cycle: Cycle) => readonly string[] | undefined;
  readonly hooks?: FaultHooks;
  /** Receives pushed gossip; without it, pushes are rejected. */
  readonly receiveGossip?: (body: string) => Promise<PushOutcome>;
  /** Returns the body of `/healthz`. */
  readonly health?: () => object;
}

export function makeValidatorServer(options: ServerOptions): JsonServer {
  const slots = new ResponseSlots({
    responsesMax: snapshotResponsesMax,
    responsesPerPrefixMax: snapshotResponsesPerAddressMax,
  });
  const hooks = options.hooks ?? honestHooks();
  return new JsonServer(async (request, response) => {
    for (const intercept of hooks.requests.intercept) {
      if (await intercept(request, response)) return;
    }
    const url = urlOf(request);
    switch (`${request.method} ${url.pathname}`) {
      case "GET /netconfig":
        return sendJson(response, deviated(hooks.requests.netconfig, options.netconfig));
      case "GET /partition-gossip":
        return sendGossip(response, url.searchParams.get("cycle"), options, hooks);
      case "POST /snapshot":
        return sendSnapshot(request, response, options.snapshots, hooks, slots);
      case "POST /partition-gossip":
        return receiveGossip(request, response, options);
      case "GET /healthz":
        return sendJson(response, options.health?.() ?? {});
      default:
        throw new HttpError(404, `not found: ${request.method} ${url.pathname}`);
    }
  });
}

async function sendGossip(
  response: ServerResponse,
  cycleText: string | null,
  options: ServerOptions,
  hooks: FaultHooks,
): Promise<void> {
  if (cycleText === null || !/^\d{1,15}$/.test(cycleText))
    throw new HttpError(400, "cycle: not a whole number");
  const cycle = asCycle(Number(cycleText));
  const messages = forwardedGossip(hooks, cycle, options.gossipOf(cycle));
  if (messages === undefined) throw new HttpError(404, `no gossip for cycle ${cycleText}`);
  await sendPieces(response, listPieces("messages", messages));
}

async function receiveGossip(
  request: IncomingMessage,
  response: ServerResponse,
  { receiveGossip: receive }: ServerOptions,
): Promise<void> {
  if (receive === undefined) throw new HttpError(404, "this validator does not receive gossip");
  sendJson(response, await receive(await readBody(request, gossipPushBytesMax)));
}

async function sendSnapshot(
  request: IncomingMessage,
  response: ServerResponse,
  snapshots: HeldSnapshots,
  hooks: FaultHooks,
  slots: ResponseSlots,
): Promise<void> {
  const { timestamp, selection } = parseSnapshotRequest(await readBody(request, snapshotRequestBytesMax));
  await slots.use(request.socket.remoteAddress ?? "", async () => {
    const source = snapshots.find(timestamp);
    // The files must exist until the end of the response.
    const release = source.hold?.();
    try {
      const served = deviated(hooks.responses.select, selection, timestamp);
      const context = { selection, accounts: source.count(served) };
      const rows = deviated(hooks.responses.rows, source.select(served), context);
      const honest = listPieces("snapshot", texts(rows));
      const pieces = deviated<Pieces, [typeof context]>(hooks.responses.text, honest, context);
      await sendPieces(response, pieces, { isGzip: hooks.responses.isGzip });
    } finally {
      release?.();
    }
  });
}

function* texts(rows: Iterable<object>): Generator<string> {
  for (const row of rows) yield JSON.stringify(row);
}
