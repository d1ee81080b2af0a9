/** The hashes of a validator's partitions at a cycle boundary (PROTOCOL.md, Partition hash and network hash). */

import { RunningHash } from "../../../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../../../protocol/partition-hash.ts";
import { copyTextOf, type StateReader } from "../state/state-reader.ts";
import { believed, type StateView } from "../state-view.ts";

const openList = EMPTY_PREIMAGE.slice(0, 1);
const closeList = EMPTY_PREIMAGE.slice(1);

/** Page by page, so that commits, and the gossip of others, go on meanwhile. */
export async function hashPartitions(
  reader: StateReader,
  partitions: readonly number[],
  beliefs: readonly StateView[],
): Promise<Map<number, string>> {
  const hashes = new Map<number, string>();
  for (const partition of partitions) {
    const hash = new RunningHash();
    let before = openList;
    for await (const rows of believed(reader, partition, beliefs)) {
      hash.update(Buffer.from(before + rows.map(copyTextOf).join(",")));
      before = ",";
    }
    hashes.set(partition, hash.update(Buffer.from((before === "," ? "" : before) + closeList)).digest());
  }
  return hashes;
}
