/** Reads the manifest and the export data of a snapshot, which anybody may have written. */

import { messageOf, SnapshotError, systemCodeOf } from "../errors/snapshot-error.ts";
import { nodesMax } from "../limits/limits.ts";
import { isHex64 } from "../protocol/address.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { GLOBAL_PARTITION } from "../protocol/shard.ts";
import type { FindingList } from "../verify/finding-list.ts";
import type { SnapshotReader } from "../verify/snapshot-reader.ts";
import { hex64 } from "../wire/hex.ts";
import type { JsonBounds } from "../wire/json-bounds.ts";
import { parseAs, parseJson, quoted, WireError } from "../wire/parse.ts";
import * as z from "../wire/schema.ts";
import { fileBytesMax } from "./file-bounds.ts";
import type { Manifest } from "./manifest.ts";
import { EXPORT_DATA_FILE, isPlainName, MANIFEST_FILE, partitionKey } from "./snapshot-layout.ts";

const count = z.int("expected a whole number").min(0, "expected a whole number");
const plainName = z.string().refine(isPlainName, "expected a file name without a path");
const manifestSchema = z.strictObject({
  blockHeight: count,
  artifactMode: z.literal("operational", "expected operational"),
  data: z.literal(EXPORT_DATA_FILE, `expected ${EXPORT_DATA_FILE}`),
  artifacts: z.array(z.tuple([z.string(), plainName])).max(nodesMax + 1, "expected one artifact a partition"),
  snapshot: z.strictObject({
    formatVersion: z.literal(1, "expected version 1"),
    timestamp: count,
    networkHash: hex64,
    numPartitions: count
      .min(1, "expected at least one partition")
      .max(nodesMax, `expected at most ${nodesMax}`),
    accounts: count,
    bytes: count,
    digest: hex64,
  }),
});

/** Three values for each artifact, and a dozen more. */
const manifestBounds: JsonBounds = { depthMax: 4, valuesMax: 3 * (nodesMax + 1) + 32 };

/** @throws SnapshotError `no-such-snapshot` where there is no manifest */
export async function readManifest(
  reader: SnapshotReader,
  findings: FindingList,
): Promise<Manifest | undefined> {
  let text: string;
  try {
    text = (await reader.readBytes(MANIFEST_FILE, fileBytesMax(MANIFEST_FILE, 0))).toString("utf8");
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      findings.add("manifest", MANIFEST_FILE, messageOf(error));
      return undefined;
    }
    throw new SnapshotError(
      "no-such-snapshot",
      `${reader.directory} is no snapshot: it has no ${MANIFEST_FILE}`,
      {
        hint: "Give the directory of a published snapshot, such as snapshots/snapshot-1700000640000.",
      },
    );
  }
  try {
    const manifest = parseAs(manifestSchema, parseJson(text, MANIFEST_FILE, manifestBounds), MANIFEST_FILE);
    const keys = [GLOBAL_PARTITION, ...Array.from({ length: manifest.snapshot.numPartitions }, (_, p) => p)];
    const wrong = keys.findIndex(
      (partition, index) => manifest.artifacts[index]?.[0] !== partitionKey(partition),
    );
    if (wrong >= 0 || manifest.artifacts.length !== keys.length) {
      throw new WireError(
        MANIFEST_FILE,
        `artifacts: expected partition.-1 to partition.${keys.length - 2}, in order`,
      );
    }
    const files = new Set(manifest.artifacts.map(([, file]) => file));
    if (files.size < keys.length)
      throw new WireError(MANIFEST_FILE, "artifacts: two partitions have the same file");
    return manifest;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    findings.add("manifest", MANIFEST_FILE, error.message);
    return undefined;
  }
}

/** Lines of export data that are of no partition: five, and some that show what else is wrong. */
const otherLinesMax = 32;

/** The export data as key → value; everything about its form that is wrong is a finding. */
export async function readExportData(
  reader: SnapshotReader,
  manifest: Manifest,
  findings: FindingList,
): Promise<ReadonlyMap<string, string>> {
  const file = EXPORT_DATA_FILE;
  const find = (problem: string) => findings.add("export-data", file, problem);
  const entries = new Map<string, string>();
  let text: string;
  try {
    const bytesMax = fileBytesMax(file, manifest.snapshot.numPartitions);
    text = (await reader.readBytes(file, bytesMax)).toString("utf8");
  } catch (error) {
    find(messageOf(error));
    return entries;
  }
  let previous: string | undefined;
  const linesMax = manifest.snapshot.numPartitions + 1 + otherLinesMax;
  const lines = text.split("\n", linesMax + 2);
  if (lines.length > linesMax + 1) find(`it has more than ${linesMax} lines`);
  for (const [index, line] of lines.slice(0, -1).entries()) {
    const entry = parseEntry(line);
    if (entry === undefined) {
      find(`line ${index + 1}: expected ["key","value"], got ${quoted(line)}`);
      continue;
    }
    const [key, value] = entry;
    if (previous !== undefined && key <= previous) {
      find(`line ${index + 1}: ${quoted(key)} does not come after ${quoted(previous)}`);
    }
    previous = key;
    entries.set(key, value);
  }
  if (!text.endsWith("\n")) find("the last line does not end");
  const hashKey = entries.get("hash.key") ?? "";
  if (!isHex64(hashKey)) {
    find(`hash.key: expected 64 lower-case hex digits, got ${quoted(hashKey)}`);
    return entries;
  }
  const digest = hashText(text, hashKey);
  if (digest !== manifest.snapshot.digest) {
    findings.add("digest", file, `its digest is ${digest}, the manifest says ${manifest.snapshot.digest}`);
  }
  return entries;
}

/** A list of two texts. */
const entryBounds: JsonBounds = { depthMax: 1, valuesMax: 3 };

function parseEntry(line: string): [string, string] | undefined {
  try {
    const value = parseJson(line, EXPORT_DATA_FILE, entryBounds);
    if (!Array.isArray(value) || value.length !== 2) return undefined;
    const [key, text] = value as unknown[];
    if (typeof key !== "string" || typeof text !== "string") return undefined;
    // There is one way to write an entry: anything else is another text with the same meaning.
    return JSON.stringify(value) === line ? [key, text] : undefined;
  } catch {
    return undefined;
  }
}
