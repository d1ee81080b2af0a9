/** The accounts in a written database, read from the file: their partition hashes, and what an archiver makes of them. */

import {
  crowdedAccountsMin,
  crowdedTimestampsShownMax,
  restoreProgressAccounts,
  restoreTextCharacters,
} from "../../limits/restore.ts";
import { accountCopyText } from "../../protocol/account-copy.ts";
import { asPartition } from "../../protocol/brands.ts";
import { RunningHash } from "../../protocol/crypto/hash.ts";
import { GLOBAL_PARTITION, makeShard, partitionRange, type Shard } from "../../protocol/shard.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";

/** Accounts with one timestamp. */
export interface CrowdedTimestamp {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly accounts: number;
}

export interface StoredSummary {
  readonly accounts: number;
  readonly globalAccounts: number;
  /** The `combinedHash` that the archiver's report of global accounts must have. */
  readonly combinedHash: string;
  /** The first timestamps that so many accounts have that an archiver skips some. */
  readonly crowded: readonly CrowdedTimestamp[];
}

export class StoredState {
  readonly database: ForeignDatabase;
  readonly #hashKey: string;
  readonly #shard: Shard;
  readonly #onProgress: (accounts: number) => void;
  #accounts = 0;

  /** @param onProgress called with the number of accounts so far */
  constructor(
    path: string,
    { hashKey, numNodes }: { readonly hashKey: string; readonly numNodes: number },
    onProgress: (accounts: number) => void,
  ) {
    this.database = ForeignDatabase.openImmutable(path);
    this.#hashKey = hashKey;
    this.#shard = makeShard({ numNodes });
    this.#onProgress = onProgress;
  }

  /** How many accounts were hashed. */
  get hashed(): number {
    return this.#accounts;
  }

  partitionHash(number: number): string {
    const partition = asPartition(number);
    const isGlobal = partition === GLOBAL_PARTITION;
    const { low, high } = isGlobal ? { low: "", high: "g" } : partitionRange(this.#shard, partition);
    return this.#hashOf(isGlobal, low, high);
  }

  #hashOf(isGlobal: boolean, low: string, high: string): string {
    // No index knows the global accounts: one pass over the table is faster than one in order of address.
    const select = `SELECT accountId, data, timestamp, hash, isGlobal FROM accounts ${isGlobal ? "NOT INDEXED" : ""}
       WHERE isGlobal = ? AND accountId BETWEEN ? AND ? ORDER BY accountId`;
    const hash = new RunningHash(this.#hashKey);
    let text = "[";
    let isFirst = true;
    for (const row of this.database.rows(select, Number(isGlobal), low, high)) {
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

  summary(): StoredSummary {
    const accounts = this.database.first("SELECT count(*) AS n FROM accounts")?.count("n") ?? 0;
    return { accounts, ...this.#globals(), crowded: this.#crowded() };
  }

  #globals(): Pick<StoredSummary, "globalAccounts" | "combinedHash"> {
    const select =
      "SELECT accountId, hash, timestamp FROM accounts NOT INDEXED WHERE isGlobal = 1 ORDER BY accountId";
    const hash = new RunningHash(this.#hashKey);
    hash.update(Buffer.from('{"accounts":['));
    let globalAccounts = 0;
    for (const row of this.database.rows(select)) {
      const [id, own] = [row.string("accountId"), JSON.stringify(row.string("hash"))];
      const text = `{"hash":${own},"id":"${id}","timestamp":${row.count("timestamp")}}`;
      hash.update(Buffer.from(globalAccounts++ === 0 ? text : `,${text}`));
    }
    hash.update(Buffer.from('],"combinedHash":"","ready":true}'));
    return { globalAccounts, combinedHash: hash.digest() };
  }

  #crowded(): CrowdedTimestamp[] {
    const rows = this.database.rows(
      `SELECT timestamp, count(*) AS accounts FROM accounts GROUP BY timestamp
       HAVING count(*) >= ${crowdedAccountsMin} ORDER BY timestamp LIMIT ${crowdedTimestampsShownMax}`,
    );
    return [...rows].map((row) => ({
      timestamp: row.count("timestamp"),
      accounts: row.count("accounts"),
    }));
  }
}
