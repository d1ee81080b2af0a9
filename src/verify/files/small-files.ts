/**
 * Checks the small files of a snapshot (FORMAT.md), and reports every finding rather than the first. Nothing is
 * printed here, and nothing is believed: anybody may have made it.
 */

import type { ExportEntries } from "../../format/export-data.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { FileHashes } from "../../format/run-record.ts";
import type { SnapshotReader } from "../../format/snapshot-reader.ts";
import { isHex64 } from "../../protocol/address.ts";
import type { FindingList } from "../findings/finding-list.ts";
import { checkExportData } from "./export-data.ts";
import { checkListedFiles } from "./listed-files.ts";
import { checkManifest } from "./manifest.ts";

/** A snapshot's small files, as far as they could be read. */
export interface SmallFiles {
  /** `undefined` where it is no manifest: then nothing else can be said. */
  readonly manifest: Manifest | undefined;
  readonly entries: ExportEntries;
  /** `undefined` where the export data have none. */
  readonly hashKey: string | undefined;
  /** The hashes that `run.json` lists; `undefined` where it cannot be relied on. */
  readonly files: FileHashes | undefined;
}

/** @throws SnapshotError `no-such-snapshot` where there is no manifest; whatever else is wrong is a finding */
export async function checkSmallFiles(reader: SnapshotReader, findings: FindingList): Promise<SmallFiles> {
  const manifest = await checkManifest(reader, findings);
  if (manifest === undefined) {
    return { manifest: undefined, entries: new Map(), hashKey: undefined, files: undefined };
  }
  const entries = await checkExportData(reader, manifest, findings);
  const hashKey = entries.get("hash.key");
  if (!isHex64(hashKey)) return { manifest, entries, hashKey: undefined, files: undefined };
  const files = await checkListedFiles(reader, manifest, hashKey, findings);
  return { manifest, entries, hashKey, files };
}
