/** The database of accounts that receipts are applied to: it has been restored, and is not in place yet. */

import { ForeignDatabase } from "../../store/foreign-database.ts";
import type { AccountChange } from "./account-changes.ts";

/**
 * What a change means for the account as it is stored.
 *
 * `next`: the transaction was applied to what is stored. `created`: the account is not stored. `same`: it is stored as
 * it is after the transaction. `older`: what is stored is later. `missing`: another transaction came between, whose
 * receipt is missing. `conflict`: what is stored is another state of the same time.
 */
export type Effect = "next" | "created" | "same" | "older" | "missing" | "conflict";

export interface JudgedChange extends AccountChange {
  readonly effect: Effect;
  /** The hash that is stored; `undefined` if the account is not. */
  readonly storedHash: string | undefined;
}

export class ResumedAccounts {
  readonly #database: ForeignDatabase;
  readonly #select: ReturnType<ForeignDatabase["prepareFirst"]>;
  readonly #insert: ReturnType<ForeignDatabase["prepare"]>;
  /** Rows behind this one are changed accounts: replacing a row gives it the next number. */
  readonly rowsBefore: number;

  constructor(path: string, cacheKiB: number) {
    this.#database = ForeignDatabase.open(path);
    // As when the file was written: one that is not finished is discarded.
    this.#database.exec(
      `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${cacheKiB}`,
    );
    this.rowsBefore = this.#database.first("SELECT max(rowid) AS n FROM accounts")?.integer("n") ?? 0;
    this.#select = this.#database.prepareFirst(
      "SELECT timestamp, hash, isGlobal FROM accounts WHERE accountId = ?",
    );
    this.#insert = this.#database.prepare("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?, ?)");
    this.#database.exec("BEGIN");
  }

  /**
   * Compares a change with what is stored. The network applies transactions in order of time, so a change that is not
   * later is not applied, as in an archiver (3.7.7, `src/Data/Collector.ts`, `storeReceiptData`). Of one time may be
   * several transactions, which the hashes put in order; an archiver keeps only the first of them.
   */
  judge(change: AccountChange): JudgedChange {
    const row = this.#select([change.accountId]);
    if (row === undefined) return { ...change, effect: "created", storedHash: undefined };
    const storedHash = row.string("hash");
    const timestamp = row.count("timestamp");
    // No signature covers this field of a receipt.
    const isGlobal = row.count("isGlobal") === 1;
    return { ...change, isGlobal, effect: effectOf(change, { hash: storedHash, timestamp }), storedHash };
  }

  /** Writes an account, in the cycle of the receipt, as an archiver does. */
  write({ accountId, data, timestamp, hash, isGlobal }: AccountChange, cycle: number): void {
    this.#insert([accountId, data, timestamp, hash, cycle, Number(isGlobal)]);
  }

  close(): void {
    this.#database.exec("COMMIT");
    this.#database.close();
  }
}

function effectOf(
  { timestamp, hash, hashBefore }: AccountChange,
  stored: { readonly hash: string; readonly timestamp: number },
): Effect {
  if (timestamp < stored.timestamp) return "older";
  if (timestamp === stored.timestamp && hash === stored.hash) return "same";
  if (hashBefore === undefined || hashBefore === stored.hash) return "next";
  return timestamp === stored.timestamp ? "conflict" : "missing";
}
