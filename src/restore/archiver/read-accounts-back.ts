/**
 * Reads a written database of accounts back, from the file: every partition must have the hash that the validators agreed
 * on, there must be nothing else, and the indexes must be whole. Runs in processes of their own, as the writer does.
 */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { networkHashOf } from "../../protocol/partition-hash.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";
import { StoredState, type StoredSummary } from "./stored-state.ts";

export interface AgreedState {
  readonly hashKey: string;
  readonly cycle: number;
  readonly networkHash: string;
  /** The hash of each partition, −1 first. */
  readonly hashes: readonly (readonly [partition: number, hash: string])[];
}

export interface ReadBackOrder {
  readonly kind: "read-back";
  readonly path: string;
  readonly agreed: AgreedState;
  /** The partitions that were written; all of them by default. */
  readonly partitions?: readonly number[];
}

export type AccountsReadBack = StoredSummary;

/**
 * @param onProgress called with the number of accounts so far
 * @throws SnapshotError `disk` if the database differs from what the validators agreed on
 */
export function readAccountsBack(
  order: ReadBackOrder,
  onProgress: (accounts: number) => void,
): AccountsReadBack {
  return withSqliteErrors({ path: order.path, isReadOnly: true }, () =>
    new ReadBack(order, onProgress).check(),
  );
}

class ReadBack {
  readonly #path: string;
  readonly #agreed: AgreedState;
  readonly #chosen: ReadonlySet<number> | undefined;
  readonly #state: StoredState;

  constructor({ path, agreed, partitions }: ReadBackOrder, onProgress: (accounts: number) => void) {
    this.#path = path;
    this.#agreed = agreed;
    this.#chosen = partitions === undefined ? undefined : new Set(partitions);
    const { hashKey, hashes } = agreed;
    this.#state = new StoredState(path, { hashKey, numNodes: hashes.length - 1 }, onProgress);
  }

  check(): AccountsReadBack {
    const { hashes, hashKey, networkHash, cycle } = this.#agreed;
    const written = hashes.filter(([number]) => this.#chosen?.has(number) ?? true);
    const found = written.map(([partition, agreedHash]) => {
      const hash = this.#state.partitionHash(partition);
      if (hash !== agreedHash) throw notAsWritten(this.#path, `partition ${partition}`, hash, agreedHash);
      return hash;
    });
    const hash = networkHashOf(found, hashKey);
    if (found.length === hashes.length && hash !== networkHash)
      throw notAsWritten(this.#path, "the network hash", hash, networkHash);
    const summary = this.#state.summary();
    if (summary.accounts !== this.#state.hashed)
      throw notAsWritten(this.#path, "the number of accounts", summary.accounts, this.#state.hashed);
    const select = "SELECT count(*) AS n FROM accounts WHERE cycleNumber IS NOT ?";
    const others = this.#state.database.first(select, cycle)?.count("n") ?? 0;
    if (others > 0) throw notAsWritten(this.#path, "the number of accounts of other cycles", others, 0);
    return summary;
  }
}

export interface CheckIndexesOrder {
  readonly kind: "check-indexes";
  readonly path: string;
}

/**
 * Checks the structure of a database, and that its indexes have every row: the archiver reads by them.
 *
 * @throws SnapshotError `disk`
 */
export function checkIndexes({ path }: CheckIndexesOrder): null {
  return withSqliteErrors({ path, isReadOnly: true }, () => {
    const row = ForeignDatabase.openImmutable(path).first("PRAGMA integrity_check(1)");
    const problem = row?.string("integrity_check") ?? "missing";
    if (problem !== "ok") throw notAsWritten(path, "the check of its indexes", problem, "ok");
    return null;
  });
}

export function notAsWritten(
  path: string,
  what: string,
  found: string | number,
  expected: string | number,
): SnapshotError {
  return new SnapshotError(
    "disk",
    `${path} does not read back as it was written: ${what} is ${found}, not ${expected}`,
    { hint: "Nothing was replaced. Check the disk and what else writes to this directory, and run again." },
  );
}
