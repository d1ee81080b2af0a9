/** The text of a partial snapshot (PROTOCOL.md, Partial snapshots), piece by piece. */

import { GLOBAL_PARTITION, makeShard, partitionOf } from "../../protocol/shard.ts";
import type { Selection } from "../../wire/snapshot-request.ts";
import type { ServedArtifact, ServedSnapshot } from "../served-snapshot.ts";
import { copiesBetween } from "./read-range.ts";
import { wrappedText } from "./wrapped-text.ts";

/**
 * Yields `{"snapshot":[…]}` with the selected accounts: the global ones, and then the others in ascending order of
 * address. Only artifacts that can have selected accounts are read. The first piece comes as soon as the first of them has
 * been opened.
 *
 * @throws HttpError 503 if an artifact is not the one that was verified; the text is then incomplete
 */
export async function* snapshotText(
  snapshot: ServedSnapshot,
  selection: Selection,
): AsyncGenerator<Buffer, void, void> {
  const { accountStart: low, accountEnd: high, changedSince = Number.NEGATIVE_INFINITY } = selection;
  let text = '{"snapshot":[';
  let separator = "";
  const artifacts = artifactsOf(snapshot, selection);
  // Later, an artifact that has changed could only end the connection.
  for (const { file } of artifacts) await file.requireSame();
  for (const { file } of artifacts) {
    for await (const copies of copiesBetween(file, { low, high })) {
      for (const copy of copies) {
        if (copy.timestamp < changedSince) continue;
        text += separator + wrappedText(copy);
        separator = ",";
      }
      if (text === "") continue;
      yield Buffer.from(text);
      text = "";
    }
  }
  yield Buffer.from(`${text}]}`);
}

function artifactsOf({ facts, artifacts }: ServedSnapshot, selection: Selection): ServedArtifact[] {
  const { isGlobal, accountStart, accountEnd } = selection;
  const shard = makeShard({ numNodes: facts.numPartitions });
  const [first, last] = [partitionOf(shard, accountStart), partitionOf(shard, accountEnd)];
  return artifacts.filter(({ partition }) => {
    if (partition === GLOBAL_PARTITION) return isGlobal !== false;
    return isGlobal !== true && first <= partition && partition <= last;
  });
}
