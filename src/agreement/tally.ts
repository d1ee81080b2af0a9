/** Counts of votes on partitions' hashes, and the most popular hash (PROTOCOL.md, Partition gossip). */

import type { HashHex, Partition } from "../protocol/brands.ts";

/** Partition → hash → votes. */
export type Tally<Hash extends string = HashHex> = Map<Partition, Map<Hash, number>>;

export function addVote<Hash extends string>(tally: Tally<Hash>, partition: Partition, hash: Hash): void {
  const votes = tally.get(partition);
  if (votes === undefined) tally.set(partition, new Map([[hash, 1]]));
  else votes.set(hash, (votes.get(hash) ?? 0) + 1);
}

/** Returns the most popular hash of one vote or more; of equally popular ones the smallest as text. */
export function mostPopular<Hash extends string>(
  votes: ReadonlyMap<Hash, number>,
): { hash: Hash; votesFor: number } {
  let winner: { hash: Hash; votesFor: number } | undefined;
  for (const [hash, votesFor] of votes) {
    const isFirst = winner === undefined || votesFor > winner.votesFor;
    if (isFirst || (votesFor === winner?.votesFor && hash < winner.hash)) winner = { hash, votesFor };
  }
  if (winner === undefined) throw new Error("no votes");
  return winner;
}
