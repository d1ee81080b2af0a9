/**
 * Checks the small files of a snapshot (FORMAT.md, Layout). Every problem is reported as a finding. The files are not
 * trusted: their author is unknown.
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

/** The parts of a snapshot's small files that could be read. */
export interface SmallFiles {
  /** `undefined` if it is malformed; nothing else can then be checked. */
  readonly manifest: Manifest | undefined;
  readonly entries: ExportEntries;
  /** `undefined` if the export data has none. */
  readonly hashKey: string | undefined;
  /** The hashes that `run.json` lists; `undefined` if it is missing or damaged. */
  readonly files: FileHashes | undefined;
}

/**
 * Checks every file of a snapshot but its artifacts and its evidence.
 *
 * @throws SnapshotError `no-such-snapshot` if the manifest does not exist
 */
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
