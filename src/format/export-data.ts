/** The export data of a snapshot (FORMAT.md): what the network vouches for, and what vouches for the rest. */

import { hashText } from "../protocol/crypto/hash.ts";
import { partitionKey } from "./snapshot-layout.ts";

export const FORMAT_VERSION = 1;

/** What one validator vouches for: the partitions that it stores. */
export interface StateExportData {
  readonly timestamp: number;
  readonly cycle: number;
  readonly hashKey: string;
  readonly partitionHashes: ReadonlyMap<number, string>;
}

/** Of a whole snapshot. */
export interface ExportData extends StateExportData {
  readonly networkHash: string;
}

/** One `["key","value"]` a line, in ascending order of key. */
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

/** The hash of the export data: two snapshots are the same where it is. */
export function exportDataDigest(data: StateExportData | ExportData): string {
  return hashText(exportDataText(data), data.hashKey);
}
