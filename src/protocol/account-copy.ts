/**
 * An account on the wire, and the copy of it that the network hashes (PROTOCOL.md, Partition hash and
 * network hash).
 */

import { canonicalTextOf } from "./crypto/canonical-text.ts";

/** An account as validators send it (PROTOCOL.md, Partial snapshots). */
export interface WrappedData {
  readonly accountId: string;
  readonly stateId: string;
  readonly data: unknown;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly syncData?: { readonly isGlobal?: boolean };
}

/** The text before the address in every copy. Quotes inside strings are escaped, so this text occurs exactly once per
 *  account of a partition. */
export const COPY_PREFIX = '{"accountId":"';

/** Characters of a copy's data that are escaped at once. */
const PIECE_CHARACTERS = 64 * 1024;

export function isGlobalAccount(account: WrappedData): boolean {
  return account.syncData?.isGlobal === true;
}

/**
 * Returns the canonical text of an account's copy `{accountId, data, hash, isGlobal, timestamp}`. Its `data` is a
 * string: the canonical text of the account's data, or the data itself if that is a string.
 *
 * @throws CanonicalTextError if `data` has no canonical text
 */
export function accountCopyText(account: WrappedData): string {
  return `${beforeData(account)}${JSON.stringify(dataText(account))}${afterData(account)}`;
}

/** Returns {@link accountCopyText} in UTF-8, written in pieces: the text of the largest accounts has 100 MB. */
export function accountCopyBytes(account: WrappedData): Buffer {
  const data = dataText(account);
  const pieces = [Buffer.from(`${beforeData(account)}"`)];
  for (let start = 0; start < data.length; ) {
    let end = start + PIECE_CHARACTERS;
    // A surrogate pair stays in one piece: a lone surrogate would be escaped.
    if (isHighSurrogate(data.charCodeAt(end - 1))) end++;
    pieces.push(Buffer.from(JSON.stringify(data.slice(start, end)).slice(1, -1)));
    start = end;
  }
  pieces.push(Buffer.from(`"${afterData(account)}`));
  return Buffer.concat(pieces);
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function dataText({ data }: WrappedData): string {
  return typeof data === "string" ? data : canonicalTextOf(data);
}

function beforeData({ accountId }: WrappedData): string {
  return `${COPY_PREFIX}${accountId}","data":`;
}

function afterData(account: WrappedData): string {
  const { stateId, timestamp } = account;
  const isGlobal = isGlobalAccount(account) ? 1 : 0;
  return `,"hash":${JSON.stringify(stateId)},"isGlobal":${isGlobal},"timestamp":${String(timestamp)}}`;
}
