/** The hashes of a validator's partitions at a cycle boundary (PROTOCOL.md, Partition hash and network hash). */

import type { HashHex, Partition } from "../../../protocol/brands.ts";
import { RunningHash } from "../../../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../../../protocol/partition-hash.ts";
import { copyTextOf, type StateReader } from "../state/state-reader.ts";
import { type StateView, viewedPages } from "../state-view.ts";

const openList = EMPTY_PREIMAGE.slice(0, 1);
const closeList = EMPTY_PREIMAGE.slice(1);

/** Hashes page by page, so that commits and gossip continue meanwhile. */
export async function hashPartitions(
  reader: StateReader,
  partitions: readonly Partition[],
  views: readonly StateView[],
): Promise<Map<Partition, HashHex>> {
  const hashes = new Map<Partition, HashHex>();
  for (const partition of partitions) {
    const hash = new RunningHash();
    let before = openList;
    for await (const rows of viewedPages(reader, partition, views)) {
      hash.update(Buffer.from(before + rows.map(copyTextOf).join(",")));
      before = ",";
    }
    hashes.set(partition, hash.update(Buffer.from((before === "," ? "" : before) + closeList)).digest());
  }
  return hashes;
}
