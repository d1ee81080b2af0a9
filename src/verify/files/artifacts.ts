/** Checks the artifacts against the export data, and reads no more bytes than the manifest states. */

import { messageOf, systemCodeOf } from "../../errors/snapshot-error.ts";
import { type ArtifactScan, partitionOfKey } from "../../format/artifact.ts";
import type { Manifest } from "../../format/manifest.ts";
import { MANIFEST_FILE } from "../../format/manifest.ts";
import { RUN_FILE } from "../../format/run-record.ts";
import type { SnapshotReader } from "../../format/snapshot-reader.ts";
import { BudgetExceededError, ByteBudget } from "../../limits/byte-budget.ts";
import type { Partition } from "../../protocol/brands.ts";
import { GLOBAL_PARTITION, makeShard, partitionRange } from "../../protocol/shard.ts";
import type { FindingList } from "../findings/finding-list.ts";
import type { SmallFiles } from "./small-files.ts";

export interface ArtifactCheck {
  readonly checked: number;
  readonly verified: number;
  readonly accounts: number;
  readonly bytes: number;
}

/** @param isChosen selects the artifacts to read by their index in the manifest */
export async function checkArtifacts(
  reader: SnapshotReader,
  { manifest, entries, hashKey, files }: SmallFiles,
  isChosen: (index: number) => boolean,
  findings: FindingList,
): Promise<ArtifactCheck> {
  const totals = { checked: 0, verified: 0, accounts: 0, bytes: 0 };
  if (manifest === undefined || hashKey === undefined) return totals;
  const budget = new ByteBudget(manifest.snapshot.bytes);
  for (const [index, [key, file]] of manifest.artifacts.entries()) {
    const expected = entries.get(key);
    // A missing hash is already a finding about the export data.
    if (expected === undefined || !isChosen(index)) continue;
    totals.checked++;
    const partition = partitionOfKey(key);
    let scan: ArtifactScan;
    try {
      scan = await reader.scan(file, hashKey, budget);
    } catch (error) {
      reportUnread(error, file, partition, findings);
      continue;
    }
    totals.accounts += scan.accounts;
    totals.bytes += scan.bytes;
    const problem =
      scan.hash === expected
        ? (fileProblem(scan, files?.[file]) ?? rangeProblem(manifest, partition, scan))
        : hashProblem(scan, expected);
    if (problem === undefined) totals.verified++;
    else findings.add("artifact-hash", file, problem, { partition });
  }
  if (totals.verified === manifest.artifacts.length) checkTotals(manifest, totals, findings);
  return totals;
}

/** Checks that the artifacts exist, are regular files, and have the total size of the manifest, without reading them. */
export async function checkArtifactFiles(
  reader: SnapshotReader,
  manifest: Manifest,
  findings: FindingList,
): Promise<void> {
  const sizes = new Map<string, number>();
  for (const [key, file] of manifest.artifacts) {
    try {
      sizes.set(file, await reader.sizeOf(file));
    } catch (error) {
      reportUnread(error, file, partitionOfKey(key), findings);
    }
  }
  const isPlain = ![...sizes.keys()].some((file) => file.endsWith(".gz"));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (!isPlain || sizes.size < manifest.artifacts.length || bytes === manifest.snapshot.bytes) return;
  findings.add("totals", MANIFEST_FILE, `it states ${manifest.snapshot.bytes} bytes, but there are ${bytes}`);
}

function reportUnread(error: unknown, file: string, partition: Partition, findings: FindingList): void {
  if (systemCodeOf(error) === "ENOENT") {
    findings.add("artifact-missing", file, "the file is missing", { partition });
    return;
  }
  findings.add("artifact-unreadable", file, messageOf(error), { partition });
  if (error instanceof BudgetExceededError) {
    findings.add("totals", MANIFEST_FILE, "the artifacts have more bytes than it states; no more were read");
  }
}

function hashProblem(scan: ArtifactScan, expected: string): string {
  return `its hash is ${scan.hash}, but the export data has ${expected}`;
}

/** Describes a compressed file with another hash than the listed one. Older versions list no such hashes. */
function fileProblem({ fileHash }: ArtifactScan, listed: string | undefined): string | undefined {
  if (fileHash === undefined || listed === undefined || fileHash === listed) return undefined;
  return `its text is right, but its compressed bytes were changed: their hash is ${fileHash}, but ${RUN_FILE} has ${listed}`;
}

/**
 * Describes accounts outside their partition's range. Swapping two partitions together with their hashes does not
 * change the network hash, but changes their addresses.
 */
function rangeProblem(
  manifest: Manifest,
  partition: Partition,
  { firstId, lastId }: ArtifactScan,
): string | undefined {
  if (partition === GLOBAL_PARTITION || firstId === undefined || lastId === undefined) return undefined;
  const { low, high } = partitionRange(makeShard({ numNodes: manifest.snapshot.numPartitions }), partition);
  if (low <= firstId && firstId <= lastId && lastId <= high) return undefined;
  return `it contains accounts from ${firstId} to ${lastId}, but the partition ranges from ${low} to ${high}`;
}

function checkTotals(
  manifest: Manifest,
  totals: { accounts: number; bytes: number },
  findings: FindingList,
): void {
  const { accounts, bytes } = manifest.snapshot;
  if (accounts === totals.accounts && bytes === totals.bytes) return;
  const problem = `it states ${accounts} accounts in ${bytes} bytes, but there are ${totals.accounts} in ${totals.bytes}`;
  findings.add("totals", MANIFEST_FILE, problem);
}
