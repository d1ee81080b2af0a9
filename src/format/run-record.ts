/**
 * `run.json` (FORMAT.md, run.json): the record of one run, which differs between runs for the same snapshot. It lists
 * the hashes of files that no other hash covers, and its own. The hashes reveal damage; they do not prevent forgery,
 * because a forger can write a new record.
 */

import type { ReportedOffence } from "../errors/offence.ts";
import type { PartitionSource, QueryRecord, RunBytes } from "../events/assemble-events.ts";
import { nodesMax } from "../limits/network.ts";
import { otherEvidenceFilesMax } from "../limits/snapshot.ts";
import type { Partition } from "../protocol/brands.ts";
import { canonicalTextOf } from "../protocol/crypto/canonical-text.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { hex64 } from "../wire/hex.ts";
import { parseAs, parseJson, WireError } from "../wire/parse.ts";
import * as z from "../wire/schema.ts";
import { EVIDENCE_DIRECTORY, isPlainName } from "./snapshot-names.ts";

export const RUN_FILE = "run.json";

export interface RunRecord {
  /** ISO 8601, as is `finishedAt`. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationMs: number;
  readonly bytes: RunBytes;
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
  readonly partition: Partition;
  readonly source: PartitionSource | undefined;
  readonly votesFor: number;
  readonly votesAgainst: number;
  readonly outOf: number;
}

/** File → hash of its bytes. */
export type FileHashes = Readonly<Record<string, string>>;

/**
 * Returns the text of a record, with the hashes of the files and of the record itself.
 *
 * @param record a {@link RunRecord} of this or another version
 */
export function runRecordText(record: object, files: FileHashes, hashKey: string): string {
  const complete = { ...record, files };
  return textOf({ ...complete, hash: hashOf(complete, hashKey) });
}

const schema = z.looseObject({
  files: z.record(
    z.string().refine(isListedName, "expected the name of a file in the snapshot or in its evidence"),
    hex64,
    "expected the hashes of files",
  ),
});

/** Artifacts, the other files of the format, and files that a later version may add. */
const listedMax = nodesMax + 1 + otherEvidenceFilesMax;

/**
 * Reads the hashes that a record lists. The other fields are not used and may be those of a later version.
 *
 * @throws WireError if the text is not a record, or was changed after it was written
 */
export function readRunRecord(text: string, hashKey: string): FileHashes {
  const parsed = parseJson(text, RUN_FILE);
  const { files } = parseAs(schema, parsed, RUN_FILE);
  if (Object.keys(files).length > listedMax) throw new WireError(RUN_FILE, "files: too many");
  if (!isAsWritten(text, parsed, hashKey)) {
    throw new WireError(RUN_FILE, "it was changed after it was written: its hash does not match");
  }
  return files;
}

/** Returns whether a text is the one that {@link runRecordText} writes for its record, hash included. */
function isAsWritten(text: string, parsed: unknown, hashKey: string): boolean {
  if (typeof parsed !== "object" || parsed === null || !("hash" in parsed)) return false;
  const { hash, ...record } = parsed;
  try {
    // A record has exactly one valid text: different white space is damage as well.
    return text === textOf({ ...record, hash }) && hash === hashOf(record, hashKey);
  } catch {
    // A value without canonical text cannot have been hashed.
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
