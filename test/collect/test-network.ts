/** A network of five nodes whose lists and gossip a test can change while a collector follows them. */

import { asCycle, asNodeId, asNodeIndex } from "../../src/protocol/brands.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { networkHash } from "../../src/protocol/partition-hash.ts";
import { allPartitions, makeShard, storedPartitions } from "../../src/protocol/shard.ts";
import { Random } from "../../src/testnet/state/random.ts";
import { makeVote, type SignedVote } from "../../src/testnet/validator/gossip/vote.ts";
import { makeIdentity } from "../../src/testnet/validator/identity.ts";
import { asHashes } from "../helpers/brands.ts";
import { httpServer } from "../helpers/servers.ts";

export const settings = { nodesPerConsensusGroup: 3, nodesPerEdge: 0 };
const shard = makeShard({ numNodes: 5, ...settings });
const random = Random.named("collect");

/** Six, in ascending order of ID; the last one joins late, if at all. */
export const identities = Array.from({ length: 6 }, (_, index) =>
  makeIdentity(asNodeId(`${index}${random.hex(8).slice(1)}`), Buffer.from(random.hex(8), "hex")),
);

/** The hash that honest nodes have of a partition. */
export const trueHash = (partition: number) => hashText(`partition ${partition}`);
export const trueHashes = new Map(allPartitions(shard).map((partition) => [partition, trueHash(partition)]));
export const trueNetworkHash = networkHash(trueHashes);

/** A node's signed message; `lies` are hashes that replace the true ones. */
export function voteOf(
  index: number,
  cycle: number,
  lies: Readonly<Record<number, string>> = {},
): SignedVote {
  const identity = identities[index];
  if (identity === undefined) throw new RangeError(`there is no node ${index}`);
  const stored = [...storedPartitions(shard, asNodeIndex(Math.min(index, 4))), -1];
  const hashes = new Map(stored.map((partition) => [partition, lies[partition] ?? trueHash(partition)]));
  return makeVote(identity, asCycle(cycle), asHashes(hashes));
}

export const votesOf = (cycle: number) => [0, 1, 2, 3, 4].map((index) => voteOf(index, cycle));

export interface TestNetwork {
  readonly archiver: string;
  /** What the lists say from now on. */
  newestCycle: number;
  networkId: string;
  active: number[];
  isDown: boolean;
  /** The gossip that each node sends, by its index; a missing node responds with 404. */
  readonly gossip: Map<number, (cycle: number) => readonly object[] | undefined>;
}

/** Servers for the running test: an archiver, and one that stands for all validators. */
export async function testNetwork(): Promise<TestNetwork> {
  const validators = await Promise.all(
    identities.map((_, index) =>
      httpServer((request, response) => {
        const cycle = Number(new URL(request.url ?? "", "http://node").searchParams.get("cycle"));
        const messages = network.gossip.get(index)?.(cycle);
        response.writeHead(messages === undefined ? 404 : 200, { "Content-Type": "application/json" });
        response.end(JSON.stringify(messages === undefined ? { error: "no gossip" } : { messages }));
      }),
    ),
  );
  const archiver = await httpServer((request, response) => {
    if (network.isDown) return void response.writeHead(404).end();
    const isList = request.url?.startsWith("/full-nodelist") === true;
    response.end(JSON.stringify(isList ? { nodeList: nodeList() } : { cycleInfo: records() }));
  });
  const network: TestNetwork = {
    archiver,
    newestCycle: 20,
    networkId: "test",
    active: [0, 1, 2, 3, 4],
    isDown: false,
    gossip: new Map(),
  };
  const nodeList = () =>
    network.active.map((index) => {
      const { port } = new URL(validators[index] ?? "");
      const { id, publicKey } = identities[index] ?? { id: "", publicKey: "" };
      return { id, ip: "127.0.0.1", port, publicKey };
    });
  const records = () =>
    Array.from({ length: 10 }, (_, back) => {
      const counter = network.newestCycle - back;
      const active = network.active.length;
      return {
        counter,
        start: 1_700_000_000 + 60 * counter,
        duration: 60,
        active,
        networkId: network.networkId,
      };
    });
  return network;
}
