/**
 * Reads a written database of accounts back, from the file: every partition must have the hash that the validators agreed
 * on, there must be nothing else, and the indexes must be whole. Runs in processes of their own, as the writer does.
 */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import {
  archiverPageAccounts,
  crowdedTimestampsShownMax,
  restoreProgressAccounts,
  restoreTextCharacters,
} from "../../limits/restore.ts";
import { accountCopyText } from "../../protocol/account-copy.ts";
import { asPartition } from "../../protocol/brands.ts";
import { RunningHash } from "../../protocol/crypto/hash.ts";
import { networkHashOf } from "../../protocol/partition-hash.ts";
import { GLOBAL_PARTITION, makeShard, partitionRange } from "../../protocol/shard.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";

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

/** Accounts with one timestamp. */
export interface CrowdedTimestamp {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly accounts: number;
}

export interface AccountsReadBack {
  readonly accounts: number;
  readonly globalAccounts: number;
  /** The `combinedHash` that the archiver's report of global accounts must have. */
  readonly combinedHash: string;
  /** The first timestamps that more accounts have than an archiver serves without a loss. */
  readonly crowded: readonly CrowdedTimestamp[];
}

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
  readonly #onProgress: (accounts: number) => void;
  readonly #database: ForeignDatabase;
  #accounts = 0;

  constructor({ path, agreed, partitions }: ReadBackOrder, onProgress: (accounts: number) => void) {
    this.#path = path;
    this.#agreed = agreed;
    this.#chosen = partitions === undefined ? undefined : new Set(partitions);
    this.#onProgress = onProgress;
    this.#database = ForeignDatabase.openImmutable(path);
  }

  check(): AccountsReadBack {
    const { hashes, hashKey, networkHash, cycle } = this.#agreed;
    const shard = makeShard({ numNodes: hashes.length - 1 });
    const written = hashes.filter(([number]) => this.#chosen?.has(number) ?? true);
    const found = written.map(([number, agreedHash]) => {
      const partition = asPartition(number);
      const isGlobal = partition === GLOBAL_PARTITION;
      const { low, high } = isGlobal ? { low: "", high: "g" } : partitionRange(shard, partition);
      const hash = this.#partitionHash(isGlobal, low, high);
      if (hash !== agreedHash) throw differs(this.#path, `partition ${partition}`, hash, agreedHash);
      return hash;
    });
    const hash = networkHashOf(found, hashKey);
    if (found.length === hashes.length && hash !== networkHash)
      throw differs(this.#path, "the network hash", hash, networkHash);
    const rows = this.#count("SELECT count(*) AS n FROM accounts");
    if (rows !== this.#accounts) throw differs(this.#path, "the number of accounts", rows, this.#accounts);
    const others = this.#count("SELECT count(*) AS n FROM accounts WHERE cycleNumber IS NOT ?", cycle);
    if (others > 0) throw differs(this.#path, "the number of accounts of other cycles", others, 0);
    return { accounts: rows, ...this.#globals(), crowded: this.#crowded() };
  }

  #partitionHash(isGlobal: boolean, low: string, high: string): string {
    // No index knows the global accounts: one pass over the table is faster than one in order of address.
    const select = `SELECT accountId, data, timestamp, hash, isGlobal FROM accounts ${isGlobal ? "NOT INDEXED" : ""}
       WHERE isGlobal = ? AND accountId BETWEEN ? AND ? ORDER BY accountId`;
    const hash = new RunningHash(this.#agreed.hashKey);
    let text = "[";
    let isFirst = true;
    for (const row of this.#database.rows(select, Number(isGlobal), low, high)) {
      const syncData = { isGlobal: row.count("isGlobal") === 1 };
      const [accountId, stateId, data] = [row.string("accountId"), row.string("hash"), row.string("data")];
      const copy = accountCopyText({ accountId, stateId, data, timestamp: row.count("timestamp"), syncData });
      text += isFirst ? copy : `,${copy}`;
      isFirst = false;
      if (text.length >= restoreTextCharacters) {
        hash.update(Buffer.from(text));
        text = "";
      }
      if (++this.#accounts % restoreProgressAccounts === 0) this.#onProgress(this.#accounts);
    }
    return hash.update(Buffer.from(`${text}]`)).digest();
  }

  #globals(): Pick<AccountsReadBack, "globalAccounts" | "combinedHash"> {
    const select =
      "SELECT accountId, hash, timestamp FROM accounts NOT INDEXED WHERE isGlobal = 1 ORDER BY accountId";
    const hash = new RunningHash(this.#agreed.hashKey);
    hash.update(Buffer.from('{"accounts":['));
    let globalAccounts = 0;
    for (const row of this.#database.rows(select)) {
      const [id, own] = [row.string("accountId"), JSON.stringify(row.string("hash"))];
      const text = `{"hash":${own},"id":"${id}","timestamp":${row.count("timestamp")}}`;
      hash.update(Buffer.from(globalAccounts++ === 0 ? text : `,${text}`));
    }
    hash.update(Buffer.from('],"combinedHash":"","ready":true}'));
    return { globalAccounts, combinedHash: hash.digest() };
  }

  #crowded(): CrowdedTimestamp[] {
    const rows = this.#database.rows(
      `SELECT timestamp, count(*) AS accounts FROM accounts GROUP BY timestamp
       HAVING count(*) > ${archiverPageAccounts} ORDER BY timestamp LIMIT ${crowdedTimestampsShownMax}`,
    );
    return [...rows].map((row) => ({
      timestamp: row.count("timestamp"),
      accounts: row.count("accounts"),
    }));
  }

  #count(sql: string, ...values: readonly number[]): number {
    return this.#database.first(sql, ...values)?.count("n") ?? 0;
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
    if (problem !== "ok") throw differs(path, "the check of its indexes", problem, "ok");
    return null;
  });
}

function differs(
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
