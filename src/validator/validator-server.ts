/** A validator's HTTP side: `/netconfig`, `/partition-gossip` and `/snapshot` of PROTOCOL.md. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { listPieces, sendPieces } from "./answer-body.ts";
import { type Conduct, deviated, honestConduct, type Pieces } from "./conduct.ts";
import type { HeldSnapshots } from "./held-snapshots.ts";
import { JsonServer, readBody, sendJson } from "./json-server.ts";
import { Refusal } from "./refusal.ts";
import { parseSnapshotRequest, requestBytesMax } from "./snapshot-request.ts";

export interface ValidatorOptions {
  readonly netconfig: object;
  readonly snapshots: HeldSnapshots;
  /** Every message that the validator has for a cycle, each as JSON; `undefined` where it has none. */
  readonly gossipOf: (cycle: number) => readonly string[] | undefined;
  readonly conduct?: Conduct;
}

export function makeValidatorServer(options: ValidatorOptions): JsonServer {
  const conduct = options.conduct ?? honestConduct();
  return new JsonServer(async (request, response) => {
    for (const intercept of conduct.intercept) {
      if (await intercept(request, response)) return;
    }
    const url = new URL(request.url ?? "/", "http://validator");
    switch (`${request.method} ${url.pathname}`) {
      case "GET /netconfig":
        return sendJson(response, deviated(conduct.netconfig, options.netconfig));
      case "GET /partition-gossip":
        return sendGossip(response, url.searchParams.get("cycle"), options, conduct);
      case "POST /snapshot":
        return sendSnapshot(request, response, options.snapshots, conduct);
      default:
        throw new Refusal(404, `there is no ${request.method} ${url.pathname}`);
    }
  });
}

async function sendGossip(
  response: ServerResponse,
  cycleText: string | null,
  options: ValidatorOptions,
  conduct: Conduct,
): Promise<void> {
  if (cycleText === null || !/^\d{1,15}$/.test(cycleText))
    throw new Refusal(400, "cycle: not a whole number");
  let messages = options.gossipOf(Number(cycleText));
  for (const deviate of conduct.gossip) messages = messages && deviate(messages);
  if (messages === undefined) throw new Refusal(404, `no gossip for cycle ${cycleText}`);
  await sendPieces(response, listPieces("messages", messages));
}

async function sendSnapshot(
  request: IncomingMessage,
  response: ServerResponse,
  snapshots: HeldSnapshots,
  conduct: Conduct,
): Promise<void> {
  const { timestamp, selection } = parseSnapshotRequest(await readBody(request, requestBytesMax));
  const source = snapshots.find(timestamp);
  const served = deviated(conduct.select, selection);
  const context = { selection, accounts: source.count(served) };
  const rows = deviated(conduct.rows, source.select(served), context);
  const pieces = deviated<Pieces, [typeof context]>(
    conduct.text,
    listPieces("snapshot", texts(rows)),
    context,
  );
  await sendPieces(response, pieces, { isGzip: conduct.isGzip });
}

function* texts(rows: Iterable<object>): Generator<string> {
  for (const row of rows) yield JSON.stringify(row);
}
