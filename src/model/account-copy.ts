/**
 * An account on the wire, and the copy of it that the network hashes (PROTOCOL.md, Partition hash and
 * network hash).
 */

import { canonicalTextOf } from "./canonical.ts";

/** An account as validators send it (PROTOCOL.md, Partial snapshots). */
export interface WrappedData {
  readonly accountId: string;
  readonly stateId: string;
  readonly data: unknown;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly syncData?: { readonly isGlobal?: boolean };
}

/** What stands before the address in every copy. A quote inside of a copy's strings is escaped, so this
 *  text stands nowhere else in a partition: its occurrences are the accounts. */
export const COPY_PREFIX = '{"accountId":"';

export function isGlobalAccount(account: WrappedData): boolean {
  return account.syncData?.isGlobal === true;
}

/**
 * The canonical text of an account's copy `{accountId, data, hash, isGlobal, timestamp}`, in which
 * `data` is itself a text: the account's data canonically, or as it is where it already is text.
 *
 * @throws CanonicalTextError where `data` has no canonical text
 */
export function accountCopyText(account: WrappedData): string {
  const { accountId, data, stateId, timestamp } = account;
  const dataText = typeof data === "string" ? data : canonicalTextOf(data);
  const isGlobal = isGlobalAccount(account) ? 1 : 0;
  return `${COPY_PREFIX}${accountId}","data":${JSON.stringify(dataText)},"hash":${JSON.stringify(stateId)},"isGlobal":${isGlobal},"timestamp":${String(timestamp)}}`;
}
