/**
 * Prepares the partitions that need not be fetched: verified ones of an earlier run, intact ones of the published
 * snapshot, and those without accounts.
 */

import { writeFile } from "node:fs/promises";
import { diskError } from "../../../errors/snapshot-error.ts";
import type { PartitionSource } from "../../../events/assemble-events.ts";
import type { RunEvent } from "../../../events/run-events.ts";
import type { RunLog } from "../../../events/run-log.ts";
import type { FileHashes } from "../../../format/run-record.ts";
import type { HashHex, Partition } from "../../../protocol/brands.ts";
import { hashText } from "../../../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../../../protocol/partition-hash.ts";
import type { PartialSnapshot } from "../../../store/partial-snapshot.ts";

export interface PrepareContext {
  readonly hashKey: string;
  /** The hashes that a published snapshot lists; `undefined` if no snapshot is published. */
  readonly published: FileHashes | undefined;
  readonly log: RunLog;
  readonly signal?: AbortSignal | undefined;
}

/** Returns the partitions that are still missing. */
export async function prepareArtifacts(
  partial: PartialSnapshot,
  agreedHashes: ReadonlyMap<Partition, HashHex>,
  { hashKey, published, log, signal }: PrepareContext,
): Promise<Set<Partition>> {
  const missing = new Set<Partition>();
  const emptyHash = hashText(EMPTY_PREIMAGE, hashKey);
  for (const [partition, hash] of agreedHashes) {
    signal?.throwIfAborted();
    const left = await partial.resume(partition, hash);
    if (left !== undefined) {
      log.record(kept(partition, left, { kind: "resumed" }));
      continue;
    }
    const taken = published && (await partial.takeOver(partition, hash, published));
    if (taken !== undefined) log.record(kept(partition, taken, { kind: "published" }));
    else if (hash === emptyHash) {
      await writeEmpty(partial, partition);
      log.record(kept(partition, { accounts: 0, bytes: EMPTY_PREIMAGE.length }, { kind: "empty" }));
    } else missing.add(partition);
  }
  return missing;
}

function kept(
  partition: Partition,
  { accounts, bytes }: { readonly accounts: number; readonly bytes: number },
  source: PartitionSource,
): RunEvent {
  return { type: "kept", partitions: [partition], accounts, bytes, source };
}

async function writeEmpty(partial: PartialSnapshot, partition: Partition): Promise<void> {
  const path = partial.incomingPath(0, partition);
  try {
    await writeFile(path, EMPTY_PREIMAGE, { flag: "wx", mode: 0o644 });
  } catch (error) {
    throw diskError(`cannot write ${path}`, error);
  }
  await partial.accept(partition, path);
}
