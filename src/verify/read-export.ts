/** Reads the small files of a snapshot directory, which anybody may have written, and says what is wrong. */

import { z } from "zod";
import { Failure, messageOf, systemCodeOf } from "../model/failure.ts";
import { hashText } from "../model/hash.ts";
import { nodesMax } from "../model/limits.ts";
import type { Manifest } from "../model/manifest.ts";
import { GLOBAL_PARTITION } from "../model/shard.ts";
import { EXPORT_DATA_FILE, isPlainName, MANIFEST_FILE, partitionKey } from "../model/snapshot-layout.ts";
import { hex64 } from "../wire/hex.ts";
import { parseAs, parseJson, quoted, WireError } from "../wire/parse.ts";
import type { Finding } from "./findings.ts";
import type { SnapshotReader } from "./snapshot-reader.ts";

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

/** @throws Failure `no-such-snapshot` where there is no manifest */
export async function readManifest(reader: SnapshotReader): Promise<Manifest | Finding> {
  let text: string;
  try {
    text = (await reader.readBytes(MANIFEST_FILE)).toString("utf8");
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") return finding("manifest", MANIFEST_FILE, messageOf(error));
    throw new Failure("no-such-snapshot", `${reader.directory} is no snapshot: it has no ${MANIFEST_FILE}`, {
      hint: "Give the directory of a published snapshot, such as snapshots/snapshot-1700000640000.",
    });
  }
  try {
    const manifest = parseAs(manifestSchema, parseJson(text, MANIFEST_FILE), MANIFEST_FILE);
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
    if (error instanceof WireError) return finding("manifest", MANIFEST_FILE, error.message);
    throw error;
  }
}

/** The export data as key → value, and everything about its form that is wrong. */
export async function readExportData(
  reader: SnapshotReader,
  manifest: Manifest,
): Promise<{ entries: ReadonlyMap<string, string>; findings: Finding[] }> {
  const file = EXPORT_DATA_FILE;
  const entries = new Map<string, string>();
  const findings: Finding[] = [];
  let text: string;
  try {
    text = (await reader.readBytes(file)).toString("utf8");
  } catch (error) {
    return { entries, findings: [finding("export-data", file, messageOf(error))] };
  }
  let previous: string | undefined;
  for (const [index, line] of text.split("\n").slice(0, -1).entries()) {
    const entry = parseEntry(line);
    if (entry === undefined) {
      findings.push(
        finding("export-data", file, `line ${index + 1}: expected ["key","value"], got ${quoted(line)}`),
      );
      continue;
    }
    const [key, value] = entry;
    if (previous !== undefined && key <= previous) {
      findings.push(
        finding(
          "export-data",
          file,
          `line ${index + 1}: ${quoted(key)} does not come after ${quoted(previous)}`,
        ),
      );
    }
    previous = key;
    entries.set(key, value);
  }
  if (!text.endsWith("\n")) findings.push(finding("export-data", file, "the last line does not end"));
  const hashKey = entries.get("hash.key") ?? "";
  if (!/^[0-9a-f]{64}$/.test(hashKey)) {
    findings.push(
      finding("export-data", file, `hash.key: expected 64 lower-case hex digits, got ${quoted(hashKey)}`),
    );
    return { entries, findings };
  }
  const digest = hashText(text, hashKey);
  if (digest !== manifest.snapshot.digest) {
    findings.push(
      finding("digest", file, `its digest is ${digest}, the manifest says ${manifest.snapshot.digest}`),
    );
  }
  return { entries, findings };
}

function parseEntry(line: string): [string, string] | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (!Array.isArray(value) || value.length !== 2) return undefined;
    const [key, text] = value as unknown[];
    if (typeof key !== "string" || typeof text !== "string") return undefined;
    // There is one way to write an entry: anything else is another text with the same meaning.
    return JSON.stringify(value) === line ? [key, text] : undefined;
  } catch {
    return undefined;
  }
}

function finding(kind: Finding["kind"], file: string, problem: string): Finding {
  return { kind, file, problem };
}
