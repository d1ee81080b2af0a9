/** The database in which an archiver keeps receipts (archiver 3.7.7, `src/dbstore/index.ts`). It is only read. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { receiptColumnBytesMax, receiptIdBytesMax } from "../../limits/resume.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { storedText } from "../../store/hash-database/stored-text.ts";
import { WireError } from "../../wire/parse.ts";
import { parseReceipt } from "../../wire/receipt.ts";

/** What orders a receipt. */
export interface ReceiptKey {
  readonly row: number;
  readonly cycle: number;
  /** That of the transaction, in milliseconds. */
  readonly timestamp: number;
}

export interface StoredReceipt {
  readonly id: string;
  readonly receipt: Receipt;
}

export class ReceiptsDatabase {
  readonly #path: string;
  readonly #database: ForeignDatabase;
  readonly #select: ReturnType<ForeignDatabase["prepareFirst"]>;

  /** @throws SnapshotError `configuration` if it has no receipts; SQLite's errors */
  constructor(path: string) {
    this.#path = path;
    this.#database = ForeignDatabase.openImmutable(path);
    this.#database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
    this.#database.requireTable("receipts", path);
    const columns = [
      storedText("receiptId", receiptIdBytesMax),
      storedText("signedReceipt", receiptColumnBytesMax),
      storedText("afterStates", receiptColumnBytesMax),
      "globalModification",
    ];
    this.#select = this.#database.prepareFirst(`SELECT ${columns.join(", ")} FROM receipts WHERE rowid = ?`);
  }

  /** Returns how many receipts are later than a moment, in milliseconds. */
  countAfter(timestamp: number): number {
    const select = "SELECT count(*) AS n FROM receipts WHERE timestamp > ?";
    return this.#database.first(select, timestamp)?.count("n") ?? 0;
  }

  /**
   * Yields the receipts that are later than a moment, in order of time. Rows are large, so only their keys are sorted.
   *
   * @throws SnapshotError `verification` for a row without a time or a cycle, which SQLite yields last
   */
  *keysAfter(timestamp: number): Generator<ReceiptKey, void, void> {
    const select =
      "SELECT rowid AS row, cycle, timestamp FROM receipts WHERE timestamp > ? ORDER BY timestamp, receiptId";
    for (const row of this.#database.rows(select, timestamp)) {
      const key = { row: row.count("row"), cycle: row.integer("cycle"), timestamp: row.integer("timestamp") };
      const { cycle, timestamp: time } = key;
      if (cycle === undefined || cycle < 0 || time === undefined) {
        throw malformed(
          this.#path,
          this.#nameOf(key.row),
          "its cycle or its timestamp is not a whole number",
        );
      }
      yield { row: key.row, cycle, timestamp: time };
    }
  }

  /** @throws SnapshotError `verification` that names the receipt, if it is not one */
  read(row: number): StoredReceipt {
    const values = this.#select([row]);
    const id = values?.text("receiptId");
    if (values === undefined || id === undefined) {
      throw malformed(
        this.#path,
        `the receipt in row ${row}`,
        `its receiptId is not a text of at most ${receiptIdBytesMax} bytes`,
      );
    }
    const source = `receipt ${id}`;
    const texts = { signedReceipt: values.text("signedReceipt"), afterStates: values.text("afterStates") };
    const { signedReceipt, afterStates } = texts;
    if (signedReceipt === undefined || afterStates === undefined) {
      const column = signedReceipt === undefined ? "signedReceipt" : "afterStates";
      throw malformed(
        this.#path,
        source,
        `its ${column} is not a text of at most ${receiptColumnBytesMax} bytes`,
      );
    }
    const isGlobalModification = values.integer("globalModification") === 1;
    try {
      return { id, receipt: parseReceipt({ signedReceipt, afterStates, isGlobalModification }, source) };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw malformed(this.#path, source, error.message);
    }
  }

  close(): void {
    this.#database.close();
  }

  #nameOf(row: number): string {
    const id = this.#select([row])?.text("receiptId");
    return id === undefined ? `the receipt in row ${row}` : `receipt ${id}`;
  }
}

function malformed(path: string, receipt: string, problem: string): SnapshotError {
  return new SnapshotError("verification", `${path} has a malformed receipt: ${receipt}: ${problem}`, {
    hint: "Nothing was replaced. Get this receipt, or the whole database, from another archiver.",
  });
}
