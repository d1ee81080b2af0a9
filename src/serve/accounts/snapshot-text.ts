/** The text of a partial snapshot (PROTOCOL.md, Partial snapshots), piece by piece. */

import type { AccountCopy } from "../../artifact/account-copies.ts";
import { GLOBAL_PARTITION, makeShard, partitionOf, type Shard } from "../../protocol/shard.ts";
import type { Selection } from "../../wire/snapshot-request.ts";
import type { ServedArtifact, ServedSnapshot } from "../served-snapshot.ts";
import { copiesAround } from "./read-range.ts";
import { AccountWriter } from "./wrapped-text.ts";

/**
 * Yields `{"snapshot":[…]}` with the selected accounts: the global ones, and then the others in ascending order of
 * address. Only artifacts that can have selected accounts are read. The first piece comes when none of
 * them is known to have changed.
 *
 * @throws HttpError 503 if an artifact is not the one that was verified; the text is then incomplete
 */
export async function* snapshotText(
  snapshot: ServedSnapshot,
  selection: Selection,
): AsyncGenerator<Buffer, void, void> {
  const { accountStart: low, accountEnd: high, changedSince = Number.NEGATIVE_INFINITY } = selection;
  const shard = makeShard({ numNodes: snapshot.facts.numPartitions });
  const artifacts = artifactsOf(snapshot, shard, selection);
  // Later, an artifact that has changed could only end the connection.
  for (const { file } of artifacts) await file.requireSame();
  const isSelected = ({ accountId, timestamp }: AccountCopy) =>
    low <= accountId && accountId <= high && timestamp >= changedSince;
  yield Buffer.from('{"snapshot":[');
  const writer = new AccountWriter(shard);
  let separator = "";
  for (const { file } of artifacts) {
    for await (const batch of copiesAround(file, { low, high })) {
      const texts = writer.textsOf(batch);
      const selected = texts.filter((_, index) => isSelected(batch.copies[index] as AccountCopy));
      if (selected.length === 0) continue;
      yield Buffer.from(separator + selected.join(","));
      separator = ",";
    }
  }
  yield Buffer.from("]}");
}

function artifactsOf({ artifacts }: ServedSnapshot, shard: Shard, selection: Selection): ServedArtifact[] {
  const { isGlobal, accountStart, accountEnd } = selection;
  const [first, last] = [partitionOf(shard, accountStart), partitionOf(shard, accountEnd)];
  return artifacts.filter(({ partition }) => {
    if (partition === GLOBAL_PARTITION) return isGlobal !== false;
    return isGlobal !== true && first <= partition && partition <= last;
  });
}
