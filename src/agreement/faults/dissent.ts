/** Votes for other hashes than the agreed ones. */

import type { Offence } from "../../errors/offence.ts";

type Hashes = ReadonlyMap<number, string>;

/** The partitions on which a vote names another hash than the agreed one. */
export function dissentingPartitions(hashes: Hashes, agreed: Hashes): number[] {
  return [...hashes]
    .filter(([partition, hash]) => (agreed.get(partition) ?? hash) !== hash)
    .map(([partition]) => partition);
}

/** One offence for each partition on which the vote of a sender dissents. */
export function dissentsOf(sender: string, hashes: Hashes, agreed: Hashes): Offence[] {
  return dissentingPartitions(hashes, agreed).map((partition) => {
    const detail = `voted for ${hashes.get(partition)}, agreed is ${agreed.get(partition)}`;
    return { node: sender, kind: "dissenting-vote", partition, detail };
  });
}
