/**
 * Reads the state of one cycle boundary, in a read transaction of a separate SQLite connection: it begins before the next
 * commit, and is isolated from all later ones.
 */

import { setImmediate } from "node:timers/promises";
import { SnapshotError } from "../../../errors/snapshot-error.ts";
import { accountCopyText } from "../../../protocol/account-copy.ts";
import type { Partition } from "../../../protocol/brands.ts";
import { GLOBAL_PARTITION, makeShard, partitionRange, type Shard } from "../../../protocol/shard.ts";
import { SqliteFile } from "../../../store/hash-database/sqlite-file.ts";
import type { SqliteRow } from "../../../store/hash-database/sqlite-row.ts";
import { stateFormat } from "./state-schema.ts";

/** An account with its data as text: the string itself, or the canonical text of any other value. */
export interface StateRow {
  readonly accountId: string;
  readonly stateId: string;
  readonly timestamp: number;
  readonly dataText: string;
  /** Whether the data is a string. */
  readonly isText: boolean;
  readonly isGlobal: boolean;
}

/** The rows of one read, which takes some milliseconds; other work runs between reads. */
const pageRows = 500;

const everyAddress = { low: "0".repeat(64), high: "f".repeat(64) };

export class StateReader {
  readonly #file: SqliteFile;
  readonly #shard: Shard;

  private constructor(file: SqliteFile, shard: Shard) {
    this.#file = file;
    this.#shard = shard;
  }

  /**
   * Opens the database for reading, in a transaction.
   *
   * @param numPartitions the number of partitions of the cycle
   * @throws SnapshotError where the database is not at the end of the expected cycle, or cannot be opened
   */
  static open(path: string, expectedCycle: number, numPartitions: number): StateReader {
    const file = SqliteFile.open(path, stateFormat, { mustExist: true });
    try {
      file.beginRead();
      const progress = file.get(
        (row) => ({ cycle: row.count("cycle"), isBoundary: row.count("isBoundary") === 1 }),
        "SELECT cycleNumber AS cycle, isBoundary FROM progress",
      );
      if (progress?.cycle !== expectedCycle || !progress.isBoundary) {
        const where = progress?.isBoundary === true ? "at the end of" : "after the end of";
        throw new SnapshotError(
          "temporary",
          `the database is ${where} cycle ${progress?.cycle}, expected the end of cycle ${expectedCycle}`,
        );
      }
      return new StateReader(file, makeShard({ numNodes: numPartitions }));
    } catch (error) {
      file.closeReader();
      throw error;
    }
  }

  /** Yields the accounts of a partition in ascending order, page by page. */
  async *pages(partition: Partition): AsyncGenerator<readonly StateRow[], void, void> {
    const isGlobal = partition === GLOBAL_PARTITION;
    const { low, high } = isGlobal ? everyAddress : partitionRange(this.#shard, partition);
    for (let from = low; ; ) {
      const rows = this.#file.all(
        (row) => stateRowOf(row, isGlobal),
        `SELECT accountId, stateId, timestamp, data FROM accounts
         WHERE isGlobal = ? AND accountId BETWEEN ? AND ? ORDER BY accountId LIMIT ${pageRows}`,
        Number(isGlobal),
        from,
        high,
      );
      const last = rows.at(-1);
      if (last === undefined) return;
      from = `${last.accountId}0`; // all addresses have one length: the next one is greater
      yield rows;
      await setImmediate();
    }
  }

  close(): void {
    this.#file.closeReader();
  }
}

function stateRowOf(row: SqliteRow, isGlobal: boolean): StateRow {
  const data = row.string("data");
  // Only the canonical text of a string begins with a quote.
  const value: unknown = data.startsWith('"') ? JSON.parse(data) : undefined;
  const isText = typeof value === "string";
  return {
    accountId: row.string("accountId"),
    stateId: row.string("stateId"),
    timestamp: row.count("timestamp"),
    dataText: isText ? value : data,
    isText,
    isGlobal,
  };
}

/** Returns the canonical text of the account's copy, from the known text of its data. */
export function copyTextOf({ accountId, stateId, timestamp, dataText, isGlobal }: StateRow): string {
  return accountCopyText({ accountId, stateId, timestamp, data: dataText, syncData: { isGlobal } });
}
