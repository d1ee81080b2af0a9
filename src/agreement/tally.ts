/** Counts of votes on partitions' hashes, and the most popular hash (PROTOCOL.md, Partition gossip). */

import { GLOBAL_PARTITION, type Shard } from "../protocol/shard.ts";

/** Partition → hash → votes. */
export type Tally = Map<number, Map<string, number>>;

export function addVote(tally: Tally, partition: number, hash: string): void {
  const votes = tally.get(partition);
  if (votes === undefined) tally.set(partition, new Map([[hash, 1]]));
  else votes.set(hash, (votes.get(hash) ?? 0) + 1);
}

/** The most popular hash; of equally popular ones the smallest as text. */
export function mostPopular(votes: ReadonlyMap<string, number>): { hash: string; votesFor: number } {
  let winner = { hash: "", votesFor: 0 };
  for (const [hash, votesFor] of votes) {
    if (votesFor > winner.votesFor || (votesFor === winner.votesFor && hash < winner.hash)) {
      winner = { hash, votesFor };
    }
  }
  return winner;
}

/** Whether the network has a partition of that number. */
export function isPartition(shard: Shard, partition: number): boolean {
  return partition >= GLOBAL_PARTITION && partition < shard.numNodes;
}
