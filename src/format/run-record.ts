/**
 * The record of one run (FORMAT.md, run.json). It lists the hashes of the files that nothing else vouches
 * for, and its own: not against forgers, who would write it anew, but so that no damage goes unnoticed.
 */

import { canonicalTextOf } from "../protocol/crypto/canonical-text.ts";
import { hashText } from "../protocol/crypto/hash.ts";

/** File → hash of its bytes. */
export type FileHashes = Readonly<Record<string, string>>;

/** The text of a record, with the hashes of its files and of itself. */
export function runRecordText(record: object, files: FileHashes, hashKey: string): string {
  const complete = { ...record, files };
  return textOf({ ...complete, hash: hashOf(complete, hashKey) });
}

/** Whether a record's text is as {@link runRecordText} writes it, its hash included. */
export function isAsWritten(text: string, parsed: object, hashKey: string): boolean {
  const { hash, ...record } = parsed as { hash?: unknown };
  // There is one way to write it: other white space is damage as well.
  return text === textOf({ ...record, hash }) && hash === hashOf(record, hashKey);
}

function hashOf(record: object, hashKey: string): string {
  return hashText(canonicalTextOf(JSON.parse(JSON.stringify(record))), hashKey);
}

function textOf(record: object): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
