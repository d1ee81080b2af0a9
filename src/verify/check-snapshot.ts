/**
 * Checks a snapshot (FORMAT.md): one pass of the hash function over its artifacts, and every finding rather
 * than the first. Nothing is printed here, and nothing is believed: anybody may have made it.
 */

import { isHex64 } from "../model/address.ts";
import type { ArtifactScan } from "../model/artifact-scan.ts";
import { messageOf, systemCodeOf } from "../model/failure.ts";
import type { Manifest } from "../model/manifest.ts";
import { networkHash } from "../model/partition-hash.ts";
import { GLOBAL_PARTITION, makeShard, partitionRange } from "../model/shard.ts";
import { EXPORT_DATA_FILE, MANIFEST_FILE, partitionKey } from "../model/snapshot-layout.ts";
import { quoted } from "../wire/parse.ts";
import { checkFiles } from "./check-files.ts";
import type { Finding } from "./findings.ts";
import { readExportData, readManifest } from "./read-export.ts";
import type { SnapshotReader } from "./snapshot-reader.ts";

/** A snapshot's small files, as far as they could be read, and what is wrong with them. */
export interface OpenSnapshot {
  /** `undefined` where it is no manifest: then nothing else can be said. */
  readonly manifest: Manifest | undefined;
  /** The export data. */
  readonly entries: ReadonlyMap<string, string>;
  /** `undefined` where the export data have none. */
  readonly hashKey: string | undefined;
  readonly findings: readonly Finding[];
}

/** @throws Failure `no-such-snapshot` where there is no manifest; whatever else is wrong is a finding */
export async function openSnapshot(reader: SnapshotReader): Promise<OpenSnapshot> {
  const manifest = await readManifest(reader);
  if (!("snapshot" in manifest)) {
    return { manifest: undefined, entries: new Map(), hashKey: undefined, findings: [manifest] };
  }
  const { entries, findings } = await readExportData(reader, manifest);
  findings.push(...crossCheck(manifest, entries), ...checkNetworkHash(manifest, entries));
  const hashKey = entries.get("hash.key");
  if (!isHex64(hashKey)) return { manifest, entries, hashKey: undefined, findings };
  findings.push(...(await checkFiles(reader, hashKey, manifest.snapshot.digest)));
  return { manifest, entries, hashKey, findings };
}

export interface ArtifactCheck {
  readonly checked: number;
  readonly verified: number;
  readonly accounts: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

/** @param isChosen which artifacts are read, by their place in the manifest */
export async function checkArtifacts(
  reader: SnapshotReader,
  { manifest, entries, hashKey }: OpenSnapshot,
  isChosen: (index: number) => boolean,
): Promise<ArtifactCheck> {
  const totals = { checked: 0, verified: 0, accounts: 0, bytes: 0 };
  const findings: Finding[] = [];
  if (manifest === undefined || hashKey === undefined) return { ...totals, findings };
  for (const [index, [key, file]] of manifest.artifacts.entries()) {
    const expected = entries.get(key);
    // Without a hash there is nothing to compare with, which is a finding already.
    if (expected === undefined || !isChosen(index)) continue;
    totals.checked++;
    const partition = Number(key.slice("partition.".length));
    const scan = await scanFile(reader, file, partition, hashKey);
    if ("problem" in scan) {
      findings.push(scan);
      continue;
    }
    totals.accounts += scan.accounts;
    totals.bytes += scan.bytes;
    const problem =
      scan.hash === expected ? rangeProblem(manifest, partition, scan) : hashProblem(scan, expected);
    if (problem === undefined) totals.verified++;
    else findings.push({ kind: "artifact-hash", file, partition, problem });
  }
  if (totals.verified === manifest.artifacts.length) findings.push(...checkTotals(manifest, totals));
  return { ...totals, findings };
}

async function scanFile(
  reader: SnapshotReader,
  file: string,
  partition: number,
  hashKey: string,
): Promise<ArtifactScan | Finding> {
  try {
    return await reader.scan(file, hashKey);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") {
      return { kind: "artifact-missing", file, partition, problem: "the file is missing" };
    }
    return { kind: "artifact-unreadable", file, partition, problem: messageOf(error) };
  }
}

function hashProblem(scan: ArtifactScan, expected: string): string {
  return `its hash is ${scan.hash}, the export data says ${expected}`;
}

/** Two partitions that are swapped, hashes and all, make the same network hash; but not the same addresses. */
function rangeProblem(
  manifest: Manifest,
  partition: number,
  { firstId, lastId }: ArtifactScan,
): string | undefined {
  if (partition === GLOBAL_PARTITION || firstId === undefined || lastId === undefined) return undefined;
  const { low, high } = partitionRange(makeShard({ numNodes: manifest.snapshot.numPartitions }), partition);
  if (low <= firstId && firstId <= lastId && lastId <= high) return undefined;
  return `it holds accounts from ${firstId} to ${lastId}, but the partition those from ${low} to ${high}`;
}

/** The manifest and the export data say the same, and the export data says nothing else. */
function crossCheck(manifest: Manifest, entries: ReadonlyMap<string, string>): Finding[] {
  const { timestamp, networkHash: hash, formatVersion, numPartitions } = manifest.snapshot;
  const expected = new Map([
    ["format.version", String(formatVersion)],
    ["snapshot.timestamp", String(timestamp)],
    ["snapshot.cycle", String(manifest.blockHeight)],
    ["network.hash", hash],
  ]);
  const findings: Finding[] = [];
  for (const [key, value] of expected) {
    if (entries.get(key) === value) continue;
    const problem = `${key}: the manifest says ${value}, the export data ${quoted(entries.get(key) ?? "nothing")}`;
    findings.push({ kind: "export-data", file: EXPORT_DATA_FILE, problem });
  }
  const known = new Set([...expected.keys(), "hash.key"]);
  for (let partition = GLOBAL_PARTITION; partition < numPartitions; partition++) {
    const key = partitionKey(partition);
    known.add(key);
    if (isHex64(entries.get(key))) continue;
    const problem = `${key}: expected 64 lower-case hex digits, got ${quoted(entries.get(key) ?? "nothing")}`;
    findings.push({ kind: "export-data", file: EXPORT_DATA_FILE, partition, problem });
  }
  for (const key of entries.keys()) {
    if (!known.has(key))
      findings.push({ kind: "export-data", file: EXPORT_DATA_FILE, problem: `${quoted(key)}: no such key` });
  }
  return findings;
}

function checkNetworkHash(manifest: Manifest, entries: ReadonlyMap<string, string>): Finding[] {
  const hashKey = entries.get("hash.key");
  if (!isHex64(hashKey)) return [];
  const hashes = new Map<number, string>();
  for (const [key, value] of entries) if (key.startsWith("partition.")) hashes.set(hashes.size, value);
  const hash = networkHash(hashes, hashKey);
  if (hash === manifest.snapshot.networkHash) return [];
  const problem = `the partition hashes make the network hash ${hash}, not ${manifest.snapshot.networkHash}`;
  return [{ kind: "network-hash", file: EXPORT_DATA_FILE, problem }];
}

function checkTotals(manifest: Manifest, totals: { accounts: number; bytes: number }): Finding[] {
  const { accounts, bytes } = manifest.snapshot;
  if (accounts === totals.accounts && bytes === totals.bytes) return [];
  const problem = `it says ${accounts} accounts in ${bytes} bytes, but there are ${totals.accounts} in ${totals.bytes}`;
  return [{ kind: "totals", file: MANIFEST_FILE, problem }];
}
