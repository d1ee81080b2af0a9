/** The archiver of a live cluster: its lists, its transaction log, and the state metadata that validators send. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { PublicKey } from "../../protocol/brands.ts";
import { signerOf } from "../../protocol/crypto/signature.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import { parseStateMetadata } from "../../wire/state-metadata.ts";
import { archiverIdentity, makeArchiverServer, type NodeRow } from "../cluster/archiver-server.ts";
import type { ClusterNetwork } from "../cluster/cluster-network.ts";
import { stateMetadataBytesMax } from "../limits.ts";
import { HttpError } from "../validator/http-error.ts";
import { type JsonServer, readBody, sendJson } from "../validator/json-server.ts";
import type { LiveChain } from "./live-chain.ts";
import type { TransactionLog } from "./transaction-log.ts";

export interface LiveArchiverOptions {
  readonly network: ClusterNetwork;
  readonly log: TransactionLog;
  /** `undefined` until the validators listen. */
  readonly nodeList: () => readonly NodeRow[] | undefined;
  readonly chain: () => LiveChain | undefined;
}

export function makeLiveArchiver({ network, log, nodeList, chain }: LiveArchiverOptions): JsonServer {
  const publicKeys = new Set(network.identities.map(({ publicKey }) => publicKey));
  return makeArchiverServer({
    identity: archiverIdentity(network.seed),
    nodeList,
    cycles: () => chain()?.records ?? [],
    handle: async (request, response, { pathname, searchParams }) => {
      switch (`${request.method} ${pathname}`) {
        case "GET /transaction-log":
          await sendLog(response, log, searchParams.get("from") ?? "0");
          return true;
        case "POST /state-metadata":
          await receiveStateMetadata(request, publicKeys, chain());
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
  publicKeys: ReadonlySet<PublicKey>,
  chain: LiveChain | undefined,
): Promise<void> {
  const source = "state metadata";
  try {
    const received = parseJson(await readBody(request, stateMetadataBytesMax), source);
    const signer = signerOf(received);
    if (signer === undefined || !publicKeys.has(signer))
      throw new HttpError(400, "not signed by a validator");
    for (const { cycle, networkHash } of parseStateMetadata(received, source)) {
      chain?.addNetworkHash(cycle, networkHash, signer);
    }
  } catch (error) {
    throw error instanceof WireError ? new HttpError(400, error.message) : error;
  }
}
