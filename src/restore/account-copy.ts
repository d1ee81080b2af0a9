/** The copies of accounts in the artifacts of a snapshot, as objects. */

import { copyBytesMax } from "../artifact/list-entries.ts";
import { RecordFramer } from "../canonical/record-framer.ts";
import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { compressionOf } from "../format/artifact.ts";
import { isHex64 } from "../protocol/address.ts";
import { readArtifact } from "../store/artifact-file.ts";

/** A copy as an artifact has it (PROTOCOL.md, Partition hash and network hash). */
export interface AccountCopy {
  readonly accountId: string;
  /** The canonical text of the account's data, or the data itself if that is a text. */
  readonly data: string;
  readonly hash: string;
  readonly isGlobal: 0 | 1;
  /** Milliseconds. */
  readonly timestamp: number;
}

/**
 * Yields the copies of an artifact, those that one read gives at a time.
 *
 * @throws SnapshotError `verification` if the artifact is not a list of copies; the file system's error
 */
export async function* readCopies(path: string): AsyncGenerator<AccountCopy[], void, void> {
  const framer = new RecordFramer(undefined, { recordBytesMax: copyBytesMax });
  for await (const chunk of readArtifact(path, compressionOf(path))) {
    yield asCopies(path, () => framer.push(chunk).map(parseCopy));
  }
  asCopies(path, () => framer.end());
  if (framer.skipped > 0) throw notCopies(path, "an account is too large");
}

function asCopies<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw notCopies(path, messageOf(error), error);
  }
}

function notCopies(path: string, problem: string, cause?: unknown): SnapshotError {
  return new SnapshotError("verification", `${path} is not a list of accounts: ${problem}`, {
    cause,
    hint: "It changed after it was verified, or its validators agreed on something that is not an account.",
  });
}

function parseCopy(record: Buffer): AccountCopy {
  const copy: unknown = JSON.parse(record.toString("utf8"));
  if (!isCopy(copy)) throw new Error("a record is not the copy of an account");
  return copy;
}

function isCopy(value: unknown): value is AccountCopy {
  if (typeof value !== "object" || value === null) return false;
  const { accountId, data, hash, isGlobal, timestamp } = value as Record<string, unknown>;
  return (
    isHex64(accountId) &&
    typeof data === "string" &&
    typeof hash === "string" &&
    (isGlobal === 0 || isGlobal === 1) &&
    typeof timestamp === "number"
  );
}
