/** The copies of accounts in the text of an artifact, as objects. */

import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { COPY_PREFIX } from "../protocol/account-copy.ts";
import { isHex64 } from "../protocol/address.ts";
import { copyBytesMax } from "./list-entries.ts";

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

/** The text between two copies. Quotes inside strings are escaped, so it occurs nowhere else. */
export const copySeparator = Buffer.from(`,${COPY_PREFIX}`);

export interface CopyText {
  /** For messages. */
  readonly path: string;
  /** The bytes of the artifact, or those from the brace of a copy on. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Whether the bytes begin at the brace of a copy, and not at the bracket of the list. */
  readonly isContinued?: boolean;
}

/** Consecutive copies. */
export interface CopyBatch {
  readonly copies: readonly AccountCopy[];
  /** Their text, with commas between them. */
  readonly bytes: Buffer;
}

const [OPENING, CLOSING] = Buffer.from("[]");

/**
 * Yields the copies of an artifact, those that one chunk ends at a time. Many are parsed at once, which takes a quarter of
 * the time of framing each.
 *
 * @throws SnapshotError `verification` if the artifact is not a list of copies; the error of the chunks
 */
export async function* copiesIn({
  path,
  chunks,
  isContinued = false,
}: CopyText): AsyncGenerator<CopyBatch, void, void> {
  /** Copies that no separator has ended yet, with the bracket before the first one. */
  let pending: Buffer[] = [];
  let length = 0;
  let isFirst = !isContinued;
  const batchOf = (text: Buffer): CopyBatch => {
    if (isFirst && text[0] !== OPENING) throw notCopies(path, "it does not begin with a bracket");
    const bytes = text.subarray(isFirst ? 1 : 0);
    isFirst = false;
    return { copies: asCopies(path, () => parseCopies(`[${bytes.toString("utf8")}]`)), bytes };
  };
  for await (const chunk of chunks) {
    // A separator across two chunks is not found, and the copies on both sides are parsed with later ones.
    const at = chunk.lastIndexOf(copySeparator);
    if (at >= 0) {
      yield batchOf(Buffer.concat([...pending, chunk.subarray(0, at)]));
      pending = [];
      length = 0;
    }
    // The memory of a chunk is its own; a part of it is copied, so that the rest is freed.
    pending.push(at >= 0 ? Buffer.from(chunk.subarray(at + 1)) : chunk);
    length += chunk.length - at - 1;
    if (length > copyBytesMax) throw notCopies(path, "an account is too large");
  }
  const rest = Buffer.concat(pending);
  if (rest.at(-1) !== CLOSING) throw notCopies(path, "it does not end with a bracket");
  yield batchOf(rest.subarray(0, -1));
}

/** @throws SnapshotError `verification` if the bytes are not those of one copy */
export function parseCopy(path: string, bytes: Buffer): AccountCopy {
  const [copy, other] = asCopies(path, () => parseCopies(`[${bytes.toString("utf8")}]`));
  if (copy !== undefined && other === undefined) return copy;
  throw notCopies(path, "the bytes of an account are not one account");
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

function parseCopies(text: string): AccountCopy[] {
  const copies: unknown = JSON.parse(text);
  if (!Array.isArray(copies) || !copies.every(isCopy))
    throw new Error("a record is not the copy of an account");
  return copies;
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
