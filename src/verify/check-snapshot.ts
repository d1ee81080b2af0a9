/**
 * Checks the small files of a snapshot (FORMAT.md), and reports every finding rather than the first. Nothing is
 * printed here, and nothing is believed: anybody may have made it.
 */

import type { Manifest } from "../format/manifest.ts";
import { readExportData, readManifest } from "../format/read-export.ts";
import type { FileHashes } from "../format/run-record.ts";
import { EXPORT_DATA_FILE, partitionKey } from "../format/snapshot-layout.ts";
import { isHex64 } from "../protocol/address.ts";
import { networkHash } from "../protocol/partition-hash.ts";
import { GLOBAL_PARTITION } from "../protocol/shard.ts";
import { quoted } from "../wire/parse.ts";
import { checkFiles } from "./check-files.ts";
import type { FindingList } from "./finding-list.ts";
import type { SnapshotReader } from "./snapshot-reader.ts";

/** A snapshot's small files, as far as they could be read. */
export interface OpenSnapshot {
  /** `undefined` where it is no manifest: then nothing else can be said. */
  readonly manifest: Manifest | undefined;
  /** The export data. */
  readonly entries: ReadonlyMap<string, string>;
  /** `undefined` where the export data have none. */
  readonly hashKey: string | undefined;
  /** The hashes that `run.json` lists; `undefined` where it cannot be relied on. */
  readonly files: FileHashes | undefined;
}

/** @throws SnapshotError `no-such-snapshot` where there is no manifest; whatever else is wrong is a finding */
export async function openSnapshot(reader: SnapshotReader, findings: FindingList): Promise<OpenSnapshot> {
  const manifest = await readManifest(reader, findings);
  if (manifest === undefined) {
    return { manifest: undefined, entries: new Map(), hashKey: undefined, files: undefined };
  }
  const entries = await readExportData(reader, manifest, findings);
  crossCheck(manifest, entries, findings);
  checkNetworkHash(manifest, entries, findings);
  const hashKey = entries.get("hash.key");
  if (!isHex64(hashKey)) return { manifest, entries, hashKey: undefined, files: undefined };
  const files = await checkFiles(reader, manifest, hashKey, findings);
  return { manifest, entries, hashKey, files };
}

/** The manifest and the export data say the same, and the export data says nothing else. */
function crossCheck(manifest: Manifest, entries: ReadonlyMap<string, string>, findings: FindingList): void {
  const { timestamp, networkHash: hash, formatVersion, numPartitions } = manifest.snapshot;
  const expected = new Map([
    ["format.version", String(formatVersion)],
    ["snapshot.timestamp", String(timestamp)],
    ["snapshot.cycle", String(manifest.blockHeight)],
    ["network.hash", hash],
  ]);
  for (const [key, value] of expected) {
    if (entries.get(key) === value) continue;
    const problem = `${key}: the manifest says ${value}, the export data ${quoted(entries.get(key) ?? "nothing")}`;
    findings.add("export-data", EXPORT_DATA_FILE, problem);
  }
  const known = new Set([...expected.keys(), "hash.key"]);
  for (let partition = GLOBAL_PARTITION; partition < numPartitions; partition++) {
    const key = partitionKey(partition);
    known.add(key);
    if (isHex64(entries.get(key))) continue;
    const problem = `${key}: expected 64 lower-case hex digits, got ${quoted(entries.get(key) ?? "nothing")}`;
    findings.add("export-data", EXPORT_DATA_FILE, problem, { partition });
  }
  for (const key of entries.keys()) {
    if (!known.has(key)) findings.add("export-data", EXPORT_DATA_FILE, `${quoted(key)}: no such key`);
  }
}

function checkNetworkHash(
  manifest: Manifest,
  entries: ReadonlyMap<string, string>,
  findings: FindingList,
): void {
  const hashKey = entries.get("hash.key");
  if (!isHex64(hashKey)) return;
  const hashes = new Map<number, string>();
  for (const [key, value] of entries) if (key.startsWith("partition.")) hashes.set(hashes.size, value);
  const hash = networkHash(hashes, hashKey);
  if (hash === manifest.snapshot.networkHash) return;
  const problem = `the partition hashes make the network hash ${hash}, not ${manifest.snapshot.networkHash}`;
  findings.add("network-hash", EXPORT_DATA_FILE, problem);
}
