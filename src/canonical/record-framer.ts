/** Splits the stream of a `{"snapshot":[{…},{…}]}` into its records while it holds at most one of them. */

import { ResponseError } from "../errors/response-error.ts";
import { recordBytesMax } from "../limits/response.ts";
import { ListSyntax } from "./list-syntax.ts";
import { type FramerBounds, RecordScanner, type Scan } from "./record-scanner.ts";

export class RecordFramer {
  readonly #list: ListSyntax;
  readonly #scanner: RecordScanner;
  /** An error after records that were returned. */
  #failure: unknown;

  /** @param listKey the key of the list; without a key, the text is the bare list */
  constructor(listKey: string | undefined, bounds: FramerBounds = { recordBytesMax }) {
    this.#list = new ListSyntax(listKey);
    this.#scanner = new RecordScanner(bounds);
  }

  /** The number of records that were skipped because they exceed the bound. */
  get skipped(): number {
    return this.#scanner.skipped;
  }

  /** Whether the next byte belongs to a record. */
  get isInRecord(): boolean {
    return this.#list.isInRecord;
  }

  /**
   * Returns the records that end in this chunk. They share its memory: use them before the next chunk. The next call
   * throws an error that follows them, so that the result does not depend on how the text is divided into chunks.
   *
   * @throws ResponseError
   */
  push(chunk: Buffer): Buffer[] {
    this.#throwFailure();
    const records: Buffer[] = [];
    try {
      this.#frame(chunk, records);
    } catch (error) {
      if (records.length === 0) throw error;
      this.#failure = error;
    }
    return records;
  }

  /**
   * Checks at the end of the text that the list is complete.
   *
   * @throws ResponseError, `truncated` if the text is not complete
   */
  end(): void {
    this.#throwFailure();
    if (!this.#list.isOver) throw new ResponseError("truncated", "the response ends before ]}");
  }

  /**
   * Reads up to the brace of the next record, or to the end of the chunk; returns where it stopped.
   *
   * @throws ResponseError
   */
  seekRecord(chunk: Buffer, start: number): number {
    return this.#list.seekRecord(chunk, start);
  }

  /**
   * Reads up to the end of the record, or of the chunk; returns where it stopped, and the record if it is whole.
   *
   * @throws ResponseError
   */
  takeRecord(chunk: Buffer, start: number): Scan {
    const scan = this.#scanner.scan(chunk, start);
    if (scan.isEnded) this.#list.endRecord();
    return scan;
  }

  /** Call it at the brace of a record: the record is sought again when more of it has been received. */
  awaitRecord(): void {
    this.#list.awaitRecord();
  }

  /** Call it when the caller has read the record whose brace was sought, and perhaps records after it. */
  passRecord(): void {
    this.#list.endRecord();
  }

  #frame(chunk: Buffer, records: Buffer[]): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (!this.isInRecord) offset = this.seekRecord(chunk, offset);
      if (!this.isInRecord) return;
      const { end, record } = this.takeRecord(chunk, offset);
      if (record !== undefined) records.push(record);
      offset = end;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
