/**
 * Attackers in front of the validators of a cluster: HTTP servers that pass every request on to the validator that
 * they replace, except those that an attack responds to itself. A node list of their own names them.
 */

import { writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import type { Cluster } from "../../src/testnet/cluster/cluster.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { gossipOf, urlOf } from "../testnet/cluster/small-cluster.ts";

/** The validator that an attacker replaces. */
export interface Situation {
  /** The index of the validator that it replaces. */
  readonly index: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The messages that the validator itself relays, as JSON. */
  readonly honest: () => Promise<string[]>;
}

/** Responds to a request for gossip. */
export type GossipAttack = (situation: Situation) => unknown;

export interface Attackers {
  /** The options with which a run requests the attackers. */
  readonly options: Partial<AssembleOptions>;
  /** The number of requests for gossip to each validator, by index. */
  readonly requests: ReadonlyMap<number, number>;
}

/** @param attacks by the index of the validator that the attacker stands for */
export async function attack(
  cluster: Cluster,
  attacks: ReadonlyMap<number, GossipAttack>,
): Promise<Attackers> {
  const requests = new Map<number, number>();
  const urls: string[] = [];
  for (const index of cluster.nodes.keys()) {
    const gossipAttack = attacks.get(index);
    if (gossipAttack === undefined) urls.push(urlOf(cluster, index));
    else {
      urls.push(
        await serve((request, response) => {
          if (request.url?.startsWith("/partition-gossip") !== true) {
            passOn(urlOf(cluster, index), request, response);
            return;
          }
          requests.set(index, (requests.get(index) ?? 0) + 1);
          const honest = async () => (await gossipOf(cluster, index)).map((vote) => JSON.stringify(vote));
          void gossipAttack({ index, request, response, honest });
        }),
      );
    }
  }
  const nodes = join(temporaryDirectory(), "nodes.json");
  const response = await fetch(`${cluster.archiverUrl}/full-nodelist?activeOnly=true`);
  const { nodeList } = (await response.json()) as { nodeList: { id: string; publicKey: string }[] };
  const rows = nodeList.map(({ id, publicKey }) => {
    const { hostname, port } = new URL(urls[cluster.nodes.findIndex((node) => node.id === id)] ?? "");
    return { id, publicKey, ip: hostname, port: Number(port) };
  });
  writeFileSync(nodes, JSON.stringify(rows));
  return { options: { nodes, archiverKey: undefined }, requests };
}

/** The same attack by each of some validators. */
export function by(indices: Iterable<number>, gossipAttack: GossipAttack): Map<number, GossipAttack> {
  return new Map([...indices].map((index) => [index, gossipAttack]));
}

/** Relays the messages of the validator as the attack changes them. */
export function passingOn(
  change: (messages: readonly string[], index: number) => Iterable<string>,
): GossipAttack {
  return async ({ index, response, honest }) => {
    response.setHeader("content-type", "application/json");
    response.end(`{"messages":[${[...change(await honest(), index)].join(",")}]}`);
  };
}

/** Sends an endless message slowly, but too fast for a stalled response. */
export const dripping: GossipAttack = ({ response }) => {
  response.write('{"messages":[{"a":"');
  const timer = setInterval(() => response.write("x".repeat(512)), 100);
  response.on("close", () => clearInterval(timer));
};

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

function passOn(url: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, headers } = request;
  const passed = httpRequest(`${url}${request.url}`, { method, headers }, (forwarded) => {
    response.writeHead(forwarded.statusCode ?? 502, forwarded.headers);
    forwarded.pipe(response);
  });
  passed.on("error", () => response.destroy());
  request.pipe(passed);
}
