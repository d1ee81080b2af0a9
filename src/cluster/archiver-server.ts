/** The archiver of a cluster: who is active, and what the cycles were, both signed by its key. */

import { signed } from "../model/signature.ts";
import type { Identity } from "../validator/identity.ts";
import { JsonServer, sendJson } from "../validator/json-server.ts";
import { Refusal } from "../validator/refusal.ts";
import type { ChainedRecord } from "./cycle-chain.ts";

/** A row of the node list (PROTOCOL.md, Node list). */
export interface NodeRow {
  readonly id: string;
  readonly ip: string;
  readonly port: number | string;
  readonly publicKey: string;
  readonly externalIp?: string;
  readonly externalPort?: number;
}

export interface ArchiverOptions {
  readonly identity: Identity;
  /** All of them active. */
  readonly nodeList: readonly NodeRow[];
  /** Ascending; asked for at each request, since a live chain grows. */
  readonly cycles: () => readonly ChainedRecord[];
}

export function makeArchiverServer({ identity, nodeList, cycles }: ArchiverOptions): JsonServer {
  return new JsonServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://archiver");
    if (request.method === "GET" && pathname === "/full-nodelist") {
      return sendJson(response, signed({ nodeList }, identity.privateKey));
    }
    const count = /^\/cycleinfo\/(\d{1,9})$/.exec(pathname)?.[1];
    if (request.method === "GET" && count !== undefined) {
      if (Number(count) === 0) throw new Refusal(400, "the count of cycles is at least 1");
      const cycleInfo = cycles().slice(-Number(count)).reverse();
      return sendJson(response, signed({ cycleInfo }, identity.privateKey));
    }
    throw new Refusal(404, `there is no ${request.method} ${pathname}`);
  });
}
