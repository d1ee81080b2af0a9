/**
 * `run.json` (FORMAT.md): the record of one run, with everything that another archiver's run need not have in common.
 * It lists the hashes of the files that nothing else vouches for, and its own. This shows damage. It does not stop a
 * forger, who would write the record anew.
 */

import type { ReportedOffence } from "../errors/offence.ts";
import type { PartitionSource, QueryRecord } from "../events/assemble-events.ts";
import { nodesMax } from "../limits/network.ts";
import { otherEvidenceFilesMax } from "../limits/snapshot.ts";
import { canonicalTextOf } from "../protocol/crypto/canonical-text.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { hex64 } from "../wire/hex.ts";
import { parseAs, parseJson, WireError } from "../wire/parse.ts";
import * as z from "../wire/schema.ts";
import { EVIDENCE_DIRECTORY, isPlainName } from "./snapshot-names.ts";

export const RUN_FILE = "run.json";

/** What a run records of itself. */
export interface RunRecord {
  /** ISO 8601, as is `finishedAt`. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationMs: number;
  readonly bytesReceived: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: RunSettings;
  readonly partitions: readonly RecordedPartition[];
  readonly queries: readonly QueryRecord[];
  readonly offences: readonly ReportedOffence[];
  readonly warnings: readonly string[];
}

export interface RunSettings {
  readonly quorum: "majority" | "popular";
  readonly order: "bisect" | "cover";
  readonly concurrency: number;
}

export interface RecordedPartition {
  readonly partition: number;
  readonly source: PartitionSource | undefined;
  readonly votesFor: number;
  readonly votesAgainst: number;
  readonly outOf: number;
}

/** File → hash of its bytes. */
export type FileHashes = Readonly<Record<string, string>>;

/**
 * The text of a record, with the hashes of its files and of itself.
 *
 * @param record a {@link RunRecord}, or that of another version
 */
export function runRecordText(record: object, files: FileHashes, hashKey: string): string {
  const complete = { ...record, files };
  return textOf({ ...complete, hash: hashOf(complete, hashKey) });
}

const schema = z.looseObject({
  files: z.record(
    z.string().refine(isListedName, "expected the name of a file beside it, or in evidence"),
    hex64,
    "expected the hashes of files",
  ),
});

/** Artifacts, the other files of the format, and what a later version adds. */
const listedMax = nodesMax + 1 + otherEvidenceFilesMax;

/**
 * Reads the hashes that a record lists. Nothing else in it is relied on, so the rest may be of a later version.
 *
 * @throws WireError where it is no record, or not as it was written
 */
export function readRunRecord(text: string, hashKey: string): FileHashes {
  const parsed = parseJson(text, RUN_FILE);
  const { files } = parseAs(schema, parsed, RUN_FILE);
  if (Object.keys(files).length > listedMax) throw new WireError(RUN_FILE, "files: too many");
  if (!isAsWritten(text, parsed, hashKey)) {
    throw new WireError(RUN_FILE, "it is not as it was written: its hash is another");
  }
  return files;
}

/** Whether a record's text is as {@link runRecordText} writes it, its hash included. */
function isAsWritten(text: string, parsed: unknown, hashKey: string): boolean {
  if (typeof parsed !== "object" || parsed === null || !("hash" in parsed)) return false;
  const { hash, ...record } = parsed;
  try {
    // There is one way to write it: other white space is damage as well.
    return text === textOf({ ...record, hash }) && hash === hashOf(record, hashKey);
  } catch {
    // What has no canonical text was never hashed.
    return false;
  }
}

function hashOf(record: object, hashKey: string): string {
  return hashText(canonicalTextOf(JSON.parse(JSON.stringify(record))), hashKey);
}

function textOf(record: object): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

function isListedName(name: string): boolean {
  const prefix = `${EVIDENCE_DIRECTORY}/`;
  return isPlainName(name.startsWith(prefix) ? name.slice(prefix.length) : name);
}
