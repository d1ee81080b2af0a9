/** Checks the export data of a snapshot: its format, its digest, and its agreement with the manifest. */

import { messageOf } from "../../errors/snapshot-error.ts";
import { partitionKey } from "../../format/artifact.ts";
import { EXPORT_DATA_FILE, type ExportEntries, parseExportData } from "../../format/export-data.ts";
import { fileBytesMax } from "../../format/file-bounds.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { SnapshotReader } from "../../format/snapshot-reader.ts";
import { isHex64 } from "../../protocol/address.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import { networkHashOf } from "../../protocol/partition-hash.ts";
import { allPartitions } from "../../protocol/shard.ts";
import { quoted } from "../../wire/parse.ts";
import type { FindingList } from "../findings/finding-list.ts";

/** Returns the entries that could be parsed. */
export async function checkExportData(
  reader: SnapshotReader,
  manifest: Manifest,
  findings: FindingList,
): Promise<ExportEntries> {
  const entries = await readEntries(reader, manifest, findings);
  checkAgainstManifest(manifest, entries, findings);
  checkNetworkHash(manifest, entries, findings);
  return entries;
}

async function readEntries(
  reader: SnapshotReader,
  { snapshot }: Manifest,
  findings: FindingList,
): Promise<ExportEntries> {
  const file = EXPORT_DATA_FILE;
  const report = (problem: string) => findings.add("export-data", file, problem);
  let text: string;
  try {
    text = (await reader.readBytes(file, fileBytesMax(file, snapshot.numPartitions))).toString("utf8");
  } catch (error) {
    report(messageOf(error));
    return new Map();
  }
  const entries = parseExportData(text, snapshot.numPartitions, report);
  const hashKey = entries.get("hash.key") ?? "";
  if (!isHex64(hashKey)) {
    report(`hash.key: expected 64 lower-case hex digits, got ${quoted(hashKey)}`);
    return entries;
  }
  const digest = hashText(text, hashKey);
  if (digest !== snapshot.digest) {
    findings.add("digest", file, `its digest is ${digest}, but the manifest has ${snapshot.digest}`);
  }
  return entries;
}

/** Checks that the export data has the values of the manifest, a hash for each partition, and no other entries. */
function checkAgainstManifest(manifest: Manifest, entries: ExportEntries, findings: FindingList): void {
  const { timestamp, networkHash: hash, formatVersion, numPartitions } = manifest.snapshot;
  const expected = new Map([
    ["format.version", String(formatVersion)],
    ["snapshot.timestamp", String(timestamp)],
    ["snapshot.cycle", String(manifest.blockHeight)],
    ["network.hash", hash],
  ]);
  for (const [key, value] of expected) {
    if (entries.get(key) === value) continue;
    const problem = `${key}: the manifest has ${value}, the export data ${quoted(entries.get(key) ?? "nothing")}`;
    findings.add("export-data", EXPORT_DATA_FILE, problem);
  }
  const known = new Set([...expected.keys(), "hash.key"]);
  for (const partition of allPartitions({ numNodes: numPartitions })) {
    const key = partitionKey(partition);
    known.add(key);
    if (isHex64(entries.get(key))) continue;
    const problem = `${key}: expected 64 lower-case hex digits, got ${quoted(entries.get(key) ?? "nothing")}`;
    findings.add("export-data", EXPORT_DATA_FILE, problem, { partition });
  }
  for (const key of entries.keys()) {
    if (!known.has(key)) findings.add("export-data", EXPORT_DATA_FILE, `${quoted(key)}: unknown key`);
  }
}

function checkNetworkHash(manifest: Manifest, entries: ExportEntries, findings: FindingList): void {
  const hashKey = entries.get("hash.key");
  if (!isHex64(hashKey)) return;
  const hashes = [...entries].flatMap(([key, value]) => (key.startsWith("partition.") ? [value] : []));
  const hash = networkHashOf(hashes, hashKey);
  if (hash === manifest.snapshot.networkHash) return;
  const problem = `the partition hashes give the network hash ${hash}, not ${manifest.snapshot.networkHash}`;
  findings.add("network-hash", EXPORT_DATA_FILE, problem);
}
