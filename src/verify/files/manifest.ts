/** Reads and checks the manifest of a snapshot. */

import { messageOf, SnapshotError, systemCodeOf } from "../../errors/snapshot-error.ts";
import { fileBytesMax } from "../../format/file-bounds.ts";
import { MANIFEST_FILE, type Manifest, parseManifest } from "../../format/manifest.ts";
import type { SnapshotReader } from "../../format/snapshot-reader.ts";
import { WireError } from "../../wire/parse.ts";
import type { FindingList } from "../findings/finding-list.ts";

/**
 * Reads and checks the manifest; `undefined` if it cannot be parsed.
 *
 * @throws SnapshotError `no-such-snapshot` if the manifest does not exist
 */
export async function checkManifest(
  reader: SnapshotReader,
  findings: FindingList,
): Promise<Manifest | undefined> {
  const text = await readManifest(reader, findings);
  if (text === undefined) return undefined;
  try {
    return parseManifest(text);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    findings.add("manifest", MANIFEST_FILE, error.message);
    return undefined;
  }
}

async function readManifest(reader: SnapshotReader, findings: FindingList): Promise<string | undefined> {
  try {
    return (await reader.readBytes(MANIFEST_FILE, fileBytesMax(MANIFEST_FILE, 0))).toString("utf8");
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") throw noManifest(reader.directory);
    findings.add("manifest", MANIFEST_FILE, messageOf(error));
    return undefined;
  }
}

function noManifest(directory: string): SnapshotError {
  return new SnapshotError("no-such-snapshot", `${directory} is not a snapshot: it has no ${MANIFEST_FILE}`, {
    hint: "Give the directory of a published snapshot, such as snapshots/snapshot-1700000640000.",
  });
}
