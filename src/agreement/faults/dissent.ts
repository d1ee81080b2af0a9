/** Finds votes for hashes other than the agreed ones. */

import type { Offence } from "../../errors/offence.ts";
import type { HashHex, NodeId, Partition } from "../../protocol/brands.ts";

type Hashes = ReadonlyMap<Partition, HashHex>;

/** Returns the partitions on which a vote names another hash than the agreed one. */
export function dissentingPartitions(hashes: Hashes, agreed: Hashes): Partition[] {
  return [...hashes]
    .filter(([partition, hash]) => (agreed.get(partition) ?? hash) !== hash)
    .map(([partition]) => partition);
}

/** Returns one offence for each partition on which the vote of a sender dissents. */
export function dissentsOf(sender: NodeId, hashes: Hashes, agreed: Hashes): Offence[] {
  return dissentingPartitions(hashes, agreed).map((partition) => {
    const detail = `voted for ${hashes.get(partition)}; the agreed hash is ${agreed.get(partition)}`;
    return { node: sender, kind: "dissenting-vote", partition, detail };
  });
}
