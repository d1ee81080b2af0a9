/** What a validator serves a snapshot from: the accounts that it holds at one moment, by address. */

import type { WrappedData } from "../../../protocol/account-copy.ts";

/** Which accounts a request is for (PROTOCOL.md, Partial snapshots). */
export interface Selection {
  /** Inclusive addresses. */
  readonly accountStart: string;
  readonly accountEnd: string;
  /** Global accounts alone (`true`), none of them (`false`), or both kinds. */
  readonly isGlobal: boolean | undefined;
}

/** Everything that a node holds, which is what a request of the design without extension is for. */
export const EVERYTHING: Selection = {
  accountStart: "0".repeat(64),
  accountEnd: "f".repeat(64),
  isGlobal: undefined,
};

export interface AccountSource {
  /** The selected accounts in ascending order of address, made or read one by one. */
  select(selection: Selection): Iterable<WrappedData>;
  /** How many {@link AccountSource.select} gives. */
  count(selection: Selection): number;
  /** Keeps what it reads from in its place, until the answer is released. */
  hold?(): () => void;
}

/** Both in one, ascending, as each of them is: global accounts stand between the others. */
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
    // A client may go away at any account: whatever is open is to be closed.
    rest.return?.();
  }
}
