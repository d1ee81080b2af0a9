/** Reads the record of a run, which anybody may have written, for the hashes that it lists. */

import { nodesMax, otherEvidenceFilesMax } from "../limits/limits.ts";
import { hex64 } from "../wire/hex.ts";
import { parseAs, parseJson, WireError } from "../wire/parse.ts";
import * as z from "../wire/schema.ts";
import { type FileHashes, isAsWritten } from "./run-record.ts";
import { EVIDENCE_DIRECTORY, isPlainName, RUN_FILE } from "./snapshot-layout.ts";

const record = z.looseObject({
  files: z.record(
    z.string().refine(isListedName, "expected the name of a file beside it, or in evidence"),
    hex64,
    "expected the hashes of files",
  ),
});

/** Artifacts, the other files of the format, and what a later version adds. */
const listedMax = nodesMax + 1 + otherEvidenceFilesMax;

/** @throws WireError where it is no record, or not as it was written */
export function readRunRecord(text: string, hashKey: string): FileHashes {
  const parsed = parseJson(text, RUN_FILE);
  const { files } = parseAs(record, parsed, RUN_FILE);
  if (Object.keys(files).length > listedMax) throw new WireError(RUN_FILE, "files: too many");
  if (!isUnchanged(text, parsed as object, hashKey)) {
    throw new WireError(RUN_FILE, "it is not as it was written: its hash is another");
  }
  return files;
}

/** What has no canonical text was never hashed. */
function isUnchanged(text: string, parsed: object, hashKey: string): boolean {
  try {
    return isAsWritten(text, parsed, hashKey);
  } catch {
    return false;
  }
}

function isListedName(name: string): boolean {
  return isPlainName(
    name.startsWith(`${EVIDENCE_DIRECTORY}/`) ? name.slice(EVIDENCE_DIRECTORY.length + 1) : name,
  );
}
