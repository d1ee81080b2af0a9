/** The archiver of a cluster: the active nodes and the cycle records, signed with its key. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { HttpError } from "../../http-server/http-error.ts";
import { asNodeId, type NodeId, type PublicKey } from "../../protocol/brands.ts";
import { signed, signerOf } from "../../protocol/crypto/signature.ts";
import { parseAs, parseJson, WireError } from "../../wire/parse.ts";
import * as z from "../../wire/schema.ts";
import { cycleRequestBytesMax } from "../limits.ts";
import { Random } from "../state/random.ts";
import { type Identity, makeIdentity } from "../validator/identity.ts";
import { JsonServer, readBody, sendJson, urlOf } from "../validator/json-server.ts";
import { type ChainedRecord, txList } from "./cycle-records.ts";

/** A row of the node list (PROTOCOL.md, Node list). */
export interface NodeRow {
  readonly id: NodeId;
  readonly ip: string;
  readonly port: number | string;
  readonly publicKey: PublicKey;
  readonly externalIp?: string;
  readonly externalPort?: number;
}

export interface ArchiverOptions {
  readonly identity: Identity;
  /** The active nodes; `undefined` while they are unknown. */
  readonly nodeList: () => readonly NodeRow[] | undefined;
  /** Ascending; called for each request, since a live chain grows. */
  readonly cycles: () => readonly ChainedRecord[];
  /** Handles further requests. Returns whether it did. */
  readonly handle?: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<boolean>;
}

export function makeArchiverServer({ identity, nodeList, cycles, handle }: ArchiverOptions): JsonServer {
  return new JsonServer(async (request, response) => {
    const url = urlOf(request);
    const { pathname } = url;
    if (request.method === "GET" && pathname === "/full-nodelist") {
      const nodes = nodeList();
      if (nodes === undefined)
        throw new HttpError(503, "the nodes are not yet known", { retryAfterSeconds: 1 });
      return sendJson(response, signed({ nodeList: nodes }, identity.privateKey));
    }
    const count = /^\/cycleinfo\/(\d{1,9})$/.exec(pathname)?.[1];
    if (request.method === "GET" && count !== undefined) {
      if (Number(count) === 0) throw new HttpError(400, "the count of cycles is at least 1");
      const cycleInfo = cycles().slice(-Number(count)).reverse();
      return sendJson(response, signed({ cycleInfo }, identity.privateKey));
    }
    if (request.method === "GET" && pathname === "/archivers") {
      const { localAddress: ip, localPort: port } = request.socket;
      const activeArchivers = [{ publicKey: identity.publicKey, ip, port }];
      return sendJson(response, signed({ activeArchivers }, identity.privateKey));
    }
    if (request.method === "POST" && pathname === "/cycleinfo") {
      const { start, end } = rangeOf(await readBody(request, cycleRequestBytesMax));
      const cycleInfo = cycles().filter(({ counter }) => start <= counter && counter <= end);
      return sendJson(response, signed({ cycleInfo }, identity.privateKey));
    }
    if (request.method === "GET" && pathname === "/network-txs-list") return sendJson(response, txList);
    if (handle !== undefined && (await handle(request, response, url))) return;
    throw new HttpError(404, `not found: ${request.method} ${pathname}`);
  });
}

/** The cycles of a request for older records: its newest one is at most this number after the oldest. */
const cyclesAtOnceMax = 100;

const cycleRange = z.object({ start: z.int().nonnegative(), end: z.int().nonnegative() });

/** @throws HttpError 400 */
function rangeOf(body: string): z.output<typeof cycleRange> {
  const source = "cycle records";
  try {
    const received = parseJson(body, source);
    if (signerOf(received) === undefined) throw new HttpError(400, "not signed");
    const range = parseAs(cycleRange, received, source);
    if (range.end - range.start <= cyclesAtOnceMax) return range;
    throw new HttpError(400, `more than ${cyclesAtOnceMax + 1} cycles`);
  } catch (error) {
    throw error instanceof WireError ? new HttpError(400, error.message) : error;
  }
}

/** The archiver's identity in every cluster of a seed. */
export function archiverIdentity(seed: string): Identity {
  const random = Random.named(seed, "archiver");
  return makeIdentity(asNodeId(random.hex(8)), Buffer.from(random.hex(8), "hex"));
}

/** A node of a node list. */
export interface ListedNode {
  readonly identity: Identity;
  readonly url: string;
}

/** Returns the rows unordered, and in every form of PROTOCOL.md: an external address has priority. */
export function makeNodeList(seed: string, nodes: readonly ListedNode[]): NodeRow[] {
  const rows = nodes.map(({ identity: { id, publicKey }, url }, index): NodeRow => {
    const { hostname, port } = new URL(url);
    if (index % 3 === 0) return { id, ip: hostname, port: Number(port), publicKey };
    if (index % 3 === 1) return { id, ip: hostname, port, publicKey };
    const external = { externalIp: hostname, externalPort: Number(port) };
    return { id, ip: "192.0.2.1", port: 9001, publicKey, ...external };
  });
  return Random.named(seed, "node list").shuffled(rows);
}
