/** Random votes of the nodes of small rings. */

import fc from "fast-check";
import { asPartition, type HashHex, type Partition } from "../../../src/protocol/brands.ts";
import { coveringNodes, GLOBAL_PARTITION, makeShard, type Shard } from "../../../src/protocol/shard.ts";
import { asHashes, hashNamed } from "../../helpers/brands.ts";

export interface RingVotes {
  readonly numNodes: number;
  /** By node, then by partition with the global one first: what the node votes, if it does. */
  readonly votes: readonly (readonly (string | undefined)[])[];
}

export function ringVotes(choices: readonly string[]): fc.Arbitrary<RingVotes> {
  return fc.integer({ min: 1, max: 12 }).chain((numNodes) => {
    const length = { minLength: numNodes + 1, maxLength: numNodes + 1 };
    const ofNode = fc.array(fc.constantFrom(...choices, undefined), length);
    const votes = fc.array(ofNode, { minLength: numNodes, maxLength: numNodes });
    return fc.record({ numNodes: fc.constant(numNodes), votes });
  });
}

export function hashesOf({ votes }: RingVotes, node: number): Map<Partition, HashHex> {
  const named = (votes[node] ?? []).map((name, place) => [place + GLOBAL_PARTITION, name] as const);
  return asHashes(
    named.flatMap(([partition, name]) => (name === undefined ? [] : [[partition, hashNamed(name)]])),
  );
}

/** The votes of the nodes that cover a partition, counted one by one. */
export function coveringVotes({ votes }: RingVotes, shard: Shard, partition: number) {
  const covering = coveringNodes(shard, asPartition(partition));
  const hashes = covering.flatMap((node) => votes[node]?.[partition - GLOBAL_PARTITION] ?? []);
  const votesFor = hashes.filter((hash) => hash === "yes").length;
  return { votesFor, votesAgainst: hashes.length - votesFor, outOf: covering.length };
}

/** The ring at each group size up to that at which all nodes cover all partitions. */
export function shardsOf({ numNodes }: RingVotes): Shard[] {
  const radii = Array.from({ length: Math.floor(numNodes / 2) + 1 }, (_, radius) => radius);
  return radii.map((radius) => makeShard({ numNodes, nodesPerConsensusGroup: 2 * radius + 1 }));
}
