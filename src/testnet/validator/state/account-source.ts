/** The source of a partial snapshot: the accounts of one moment, by address. */

import type { WrappedData } from "../../../protocol/account-copy.ts";

/** The accounts that a request selects (PROTOCOL.md, Partial snapshots). */
export interface Selection {
  /** Inclusive addresses. */
  readonly accountStart: string;
  readonly accountEnd: string;
  /** `true` for global accounts only, `false` for the others only, `undefined` for both. */
  readonly isGlobal: boolean | undefined;
  /** Milliseconds, inclusive: accounts with an older timestamp are left out. `undefined` leaves out none. */
  readonly changedSince: number | undefined;
}

/** All accounts of a node: the selection of a request with a timestamp alone. */
export const EVERYTHING: Selection = {
  accountStart: "0".repeat(64),
  accountEnd: "f".repeat(64),
  isGlobal: undefined,
  changedSince: undefined,
};

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
