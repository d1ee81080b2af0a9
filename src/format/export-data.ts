/** `export-data.jsonl` (FORMAT.md, Export data): the agreed hashes, which determine the snapshot's digest. */

import type { Cycle, HashHex, Partition } from "../protocol/brands.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import type { JsonBounds } from "../wire/json-bounds.ts";
import { parseJson, quoted, WireError } from "../wire/parse.ts";
import { partitionKey } from "./artifact.ts";

export const EXPORT_DATA_FILE = "export-data.jsonl";

export const FORMAT_VERSION = 1;

/** The export data of one validator, for the partitions that it stores. */
export interface StateExportData {
  readonly timestamp: number;
  readonly cycle: Cycle;
  readonly hashKey: string;
  readonly partitionHashes: ReadonlyMap<Partition, HashHex>;
}

/** The export data of a whole snapshot. */
export interface ExportData extends StateExportData {
  readonly networkHash: HashHex;
}

/** Writes one `["key","value"]` per line, in ascending order of key. */
export function exportDataText(data: StateExportData | ExportData): string {
  const entries: [string, string][] = [
    ["format.version", String(FORMAT_VERSION)],
    ["snapshot.timestamp", String(data.timestamp)],
    ["snapshot.cycle", String(data.cycle)],
    ["hash.key", data.hashKey],
    ...("networkHash" in data ? [["network.hash", data.networkHash] satisfies [string, string]] : []),
    ...[...data.partitionHashes].map(([partition, hash]): [string, string] => [
      partitionKey(partition),
      hash,
    ]),
  ];
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}

/** Returns the hash of the export data. Snapshots with the same digest have the same state. */
export function exportDataDigest(data: StateExportData | ExportData): string {
  return hashText(exportDataText(data), data.hashKey);
}

/** Key → value. */
export type ExportEntries = ReadonlyMap<string, string>;

/** Lines that are not of partitions: five, and some more so that unexpected lines are reported one by one. */
const otherLinesMax = 32;

/**
 * Parses every line that is an entry.
 *
 * @param report called with each deviation from the format
 */
export function parseExportData(
  text: string,
  numPartitions: number,
  report: (problem: string) => void,
): ExportEntries {
  const entries = new Map<string, string>();
  let previous: string | undefined;
  const linesMax = numPartitions + 1 + otherLinesMax;
  const lines = text.split("\n", linesMax + 2);
  if (lines.length > linesMax + 1) report(`it has more than ${linesMax} lines`);
  for (const [index, line] of lines.slice(0, -1).entries()) {
    const entry = parseEntry(line);
    if (entry === undefined) {
      report(`line ${index + 1}: expected ["key","value"], got ${quoted(line)}`);
      continue;
    }
    const [key, value] = entry;
    if (previous !== undefined && key <= previous) {
      report(`line ${index + 1}: ${quoted(key)} does not come after ${quoted(previous)}`);
    }
    previous = key;
    entries.set(key, value);
  }
  if (!text.endsWith("\n")) report("the last line has no line end");
  return entries;
}

/** A list of two strings. */
const entryBounds: JsonBounds = { depthMax: 1, valuesMax: 3 };

function parseEntry(line: string): readonly [string, string] | undefined {
  try {
    const value = parseJson(line, EXPORT_DATA_FILE, entryBounds);
    // An entry has exactly one valid text.
    return isEntry(value) && JSON.stringify(value) === line ? value : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function isEntry(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === "string");
}
