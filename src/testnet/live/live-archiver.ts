/** The archiver of a live cluster: its lists, its transaction log, and the state metadata that validators send. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HttpError } from "../../http-server/http-error.ts";
import { signerOf } from "../../protocol/crypto/signature.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import { parseStateMetadata } from "../../wire/state-metadata.ts";
import { archiverIdentity, makeArchiverServer, makeNodeList } from "../cluster/archiver-server.ts";
import { stateMetadataBytesMax } from "../limits.ts";
import { type JsonServer, readBody, sendJson } from "../validator/json-server.ts";
import type { LiveChain } from "./live-chain.ts";
import type { NetworkMembers } from "./membership/network-members.ts";
import type { TransactionLog } from "./transactions/transaction-log.ts";

export interface LiveArchiverOptions {
  readonly seed: string;
  readonly log: TransactionLog;
  /** `undefined` until the validators listen. */
  readonly members: () => NetworkMembers | undefined;
  readonly chain: () => LiveChain | undefined;
}

export function makeLiveArchiver({ seed, log, members, chain }: LiveArchiverOptions): JsonServer {
  return makeArchiverServer({
    identity: archiverIdentity(seed),
    nodeList: () => {
      const active = members()?.active;
      return active && makeNodeList(seed, active);
    },
    cycles: () => chain()?.records ?? [],
    handle: async (request, response, { pathname, searchParams }) => {
      switch (`${request.method} ${pathname}`) {
        case "GET /transaction-log":
          await sendLog(response, log, searchParams.get("from") ?? "0");
          return true;
        case "POST /state-metadata":
          await receiveStateMetadata(request, members(), chain());
          sendJson(response, {});
          return true;
        default:
          return false;
      }
    },
  });
}

/** Sends the log until the client disconnects, as fast as it reads. */
async function sendLog(response: ServerResponse, log: TransactionLog, from: string): Promise<void> {
  if (!/^\d{1,15}$/.test(from)) throw new HttpError(400, "from: not a number of bytes");
  const disconnected = new AbortController();
  response.once("close", () => disconnected.abort());
  response.writeHead(200, { "Content-Type": "application/jsonl" });
  response.flushHeaders();
  await pipeline(Readable.from(log.follow(Number(from), disconnected.signal)), response).catch(
    () => undefined,
  );
}

async function receiveStateMetadata(
  request: IncomingMessage,
  members: NetworkMembers | undefined,
  chain: LiveChain | undefined,
): Promise<void> {
  const source = "state metadata";
  try {
    const received = parseJson(await readBody(request, stateMetadataBytesMax), source);
    const signer = signerOf(received);
    if (signer === undefined || members?.isKnown(signer) !== true)
      throw new HttpError(400, "not signed by a validator");
    for (const { cycle, networkHash } of parseStateMetadata(received, source)) {
      chain?.addNetworkHash(cycle, networkHash, signer);
    }
  } catch (error) {
    throw error instanceof WireError ? new HttpError(400, error.message) : error;
  }
}
