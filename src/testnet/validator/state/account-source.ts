/** The source of a partial snapshot: the accounts of one moment, by address. */

import type { WrappedData } from "../../../protocol/account-copy.ts";
import type { Selection } from "../../../wire/snapshot-request.ts";

export interface AccountSource {
  /** Yields the selected accounts one by one, in ascending order of address. */
  select(selection: Selection): Iterable<WrappedData>;
  /** Returns the number of accounts that {@link AccountSource.select} yields. */
  count(selection: Selection): number;
  /** Keeps the files of the source until the returned function is called. */
  hold?(): () => void;
}

/** Merges two ascending lists: global accounts are between the others. */
export function* mergedByAddress(
  a: Iterable<WrappedData>,
  b: Iterable<WrappedData>,
): Generator<WrappedData, void, void> {
  const rest = b[Symbol.iterator]();
  try {
    let next = rest.next();
    for (const account of a) {
      for (; next.done !== true && next.value.accountId < account.accountId; next = rest.next())
        yield next.value;
      yield account;
    }
    for (; next.done !== true; next = rest.next()) yield next.value;
  } finally {
    // A client may disconnect at any account; the other source must close its files.
    rest.return?.();
  }
}
