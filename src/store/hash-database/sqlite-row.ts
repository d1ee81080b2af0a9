/**
 * One row of a query. A file from elsewhere may hold any value in any column, so each value is checked as it is read.
 * {@link SqliteRow.bytes} and the like are for columns whose type the query ensures, and throw for any other.
 */

import { type Cycle, isCycle } from "../../protocol/brands.ts";
import { decodeStored } from "./stored-text.ts";

export class SqliteRow {
  readonly #values: unknown;

  constructor(values: unknown) {
    this.#values = values;
  }

  /** Returns a text that is read with `storedText`; `undefined` if it is not text, is too long, or is not UTF-8. */
  text(column: string): string | undefined {
    return decodeStored(this.#value(column));
  }

  /** Returns `undefined` if the value is not a whole number. */
  integer(column: string): number | undefined {
    const value = this.#value(column);
    return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
  }

  /**
   * Returns a whole number.
   *
   * @throws TypeError if the value is another one
   */
  count(column: string): number {
    const value = this.integer(column);
    if (value === undefined) throw this.#unexpected(column, "a whole number");
    return value;
  }

  /**
   * Returns the number of a cycle, or `undefined` for NULL.
   *
   * @throws TypeError if the value is neither
   */
  cycle(column: string): Cycle | undefined {
    const value = this.#value(column);
    if (value !== null && !isCycle(value)) throw this.#unexpected(column, "the number of a cycle");
    return value ?? undefined;
  }

  /**
   * Returns the bytes of a BLOB.
   *
   * @throws TypeError if the value is not a BLOB
   */
  bytes(column: string): Uint8Array {
    const value = this.#value(column);
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (value instanceof Uint8Array) return value;
    throw this.#unexpected(column, "bytes");
  }

  /**
   * Returns a text, whatever its length: only for files of which this program is the only writer.
   *
   * @throws TypeError if the value is not text
   */
  string(column: string): string {
    const value = this.#value(column);
    if (typeof value === "string") return value;
    throw this.#unexpected(column, "text");
  }

  #value(column: string): unknown {
    const row = this.#values;
    if (typeof row !== "object" || row === null || !(column in row)) {
      throw this.#unexpected(column, "a column of the row");
    }
    return Reflect.get(row, column);
  }

  #unexpected(column: string, expected: string): TypeError {
    return new TypeError(`the column ${column} of the database is not ${expected}`);
  }
}
