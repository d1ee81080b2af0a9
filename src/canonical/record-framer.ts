/**
 * Cuts the stream of a `{"snapshot":[{…},{…}]}` into its records without holding more than one of them.
 *
 * Only what is needed to find a record's end is looked at: quotes, backslashes, braces. What stands inside
 * of a record is judged by whoever parses it.
 */

import { ResponseError } from "../errors/response-error.ts";
import { recordBytesMax, whiteSpaceRunMax } from "../limits/response.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Room for the beginning of a record: most records fit. */
const CARRY_BYTES_MIN = 4096;

/** What the framer is in the middle of. */
type Place = "head" | "first" | "record" | "after-record" | "next" | "tail" | "end";

export interface FramerBounds {
  readonly recordBytesMax: number;
  /** Whether a longer record is passed over, without being held, rather than the end of the text. */
  readonly skipsLonger?: boolean;
}

export class RecordFramer {
  /** The tokens before the first record; white space may stand before each. */
  readonly #head: readonly Buffer[];
  readonly #recordBytesMax: number;
  readonly #skipsLonger: boolean;
  #isSkipping = false;
  #skipped = 0;
  #place: Place;
  #token = 0;
  #tokenOffset = 0;
  #whiteSpace = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The beginning of a record that goes on in the next chunk. */
  #carry = Buffer.alloc(0);
  #carried = 0;
  /** What went wrong after records that were handed out. */
  #failure: unknown;

  /** @param listKey the key of the list; without one the text is the bare list */
  constructor(listKey: string | undefined, bounds: FramerBounds = { recordBytesMax }) {
    this.#head =
      listKey === undefined ? [] : ["{", JSON.stringify(listKey), ":"].map((text) => Buffer.from(text));
    this.#head = [...this.#head, Buffer.from("[")];
    this.#recordBytesMax = bounds.recordBytesMax;
    this.#skipsLonger = bounds.skipsLonger === true;
    this.#place = "head";
  }

  /**
   * The records that end in this chunk. They share its memory: use them before the next chunk. What is wrong
   * after them is thrown by the next call, so that it does not matter how the text was cut up.
   *
   * @throws ResponseError
   */
  push(chunk: Buffer): Buffer[] {
    this.#throwFailure();
    const records: Buffer[] = [];
    try {
      this.#scan(chunk, records);
    } catch (error) {
      if (records.length === 0) throw error;
      this.#failure = error;
    }
    return records;
  }

  /** @throws ResponseError, `truncated` where the text is not complete */
  end(): void {
    this.#throwFailure();
    if (this.#place !== "end") throw new ResponseError("truncated", "the answer ends before ]}");
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** How many records were longer than the bound, and passed over. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Whether what comes next belongs to a record. */
  get isInRecord(): boolean {
    return this.#place === "record";
  }

  /**
   * Goes on between records, to the brace of the next one or to the end of the chunk; answers where it stands.
   *
   * @throws ResponseError
   */
  seekRecord(chunk: Buffer, start: number): number {
    let offset = start;
    while (offset < chunk.length) {
      const byte = chunk[offset] as number;
      if (isWhiteSpace(byte) && this.#tokenOffset === 0) {
        if (++this.#whiteSpace > whiteSpaceRunMax) {
          throw new ResponseError("too-large", `more than ${whiteSpaceRunMax} bytes of white space in a row`);
        }
        offset++;
        continue;
      }
      this.#whiteSpace = 0;
      // The brace that begins a record is left to the scan of the record.
      if (this.#step(byte)) return offset;
      offset++;
    }
    return offset;
  }

  /** At the brace of a record: it is not looked at before more of it has come. */
  awaitRecord(): void {
    this.#place = "next";
  }

  /** At the brace of a record: somebody else has read it, and perhaps more of them. */
  passRecord(): void {
    this.#place = "after-record";
  }

  #scan(chunk: Buffer, records: Buffer[]): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (!this.isInRecord) offset = this.seekRecord(chunk, offset);
      if (!this.isInRecord) return;
      const { end, record } = this.takeRecord(chunk, offset);
      if (record !== undefined) records.push(record);
      offset = end;
    }
  }

  /** Takes one byte between records; answers whether it begins a record. */
  #step(byte: number): boolean {
    switch (this.#place) {
      case "head":
        this.#stepHead(byte);
        return false;
      case "first":
      case "next":
        if (byte === OPEN_BRACE) {
          this.#place = "record";
          return true;
        }
        if (byte === CLOSE_LIST && this.#place === "first") {
          this.#endList();
          return false;
        }
        throw new ResponseError("malformed", `expected a record, got ${nameOf(byte)}`);
      case "after-record":
        if (byte === COMMA) this.#place = "next";
        else if (byte === CLOSE_LIST) this.#endList();
        else throw new ResponseError("malformed", `expected , or ] after a record, got ${nameOf(byte)}`);
        return false;
      case "tail":
        if (byte !== CLOSE_BRACE)
          throw new ResponseError("malformed", `expected } after the list, got ${nameOf(byte)}`);
        this.#place = "end";
        return false;
      case "end":
        throw new ResponseError("malformed", `the answer goes on after its end, with ${nameOf(byte)}`);
      case "record":
        throw new Error("a record is scanned, not stepped through");
    }
  }

  #stepHead(byte: number): void {
    const token = this.#head[this.#token];
    if (token === undefined || byte !== token[this.#tokenOffset]) {
      const expected = this.#head.map(String).join("");
      throw new ResponseError(
        "malformed",
        `the answer does not begin with ${expected}, but has ${nameOf(byte)} there`,
      );
    }
    if (++this.#tokenOffset < token.length) return;
    this.#tokenOffset = 0;
    if (++this.#token === this.#head.length) this.#place = "first";
  }

  #endList(): void {
    this.#place = this.#head.length > 1 ? "tail" : "end";
  }

  /**
   * Goes on to the end of the record or of the chunk; answers where that is, and the record if it is whole.
   *
   * @throws ResponseError
   */
  takeRecord(chunk: Buffer, start: number): { end: number; record: Buffer | undefined } {
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    let offset = start;
    let ended = false;
    let backslash = -1;
    while (offset < chunk.length && !ended) {
      if (this.#isSkipping && inString && !escaped) {
        // Whoever wants to keep us busy sends long strings: what matters in them is found without looking at each byte.
        if (backslash < offset) backslash = indexOrEnd(chunk, BACKSLASH, offset);
        offset = Math.min(indexOrEnd(chunk.subarray(0, backslash), QUOTE, offset), backslash);
        if (offset === chunk.length) break;
      }
      const byte = chunk[offset++] as number;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_LIST) depth++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_LIST) ended = --depth === 0;
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    if (this.#isSkipping || this.#carried + offset - start > this.#recordBytesMax) {
      this.#skip(ended);
      return { end: offset, record: undefined };
    }
    const piece = chunk.subarray(start, offset);
    if (!ended || this.#carried > 0) this.#carryOver(piece);
    if (!ended) return { end: offset, record: undefined };
    const record = this.#carried > 0 ? this.#carry.subarray(0, this.#carried) : piece;
    // The record that is handed out keeps its memory: the next one gets other.
    this.#carry = Buffer.alloc(0);
    this.#carried = 0;
    this.#place = "after-record";
    return { end: offset, record };
  }

  /** @throws ResponseError unless longer records are passed over */
  #skip(ended: boolean): void {
    if (!this.#skipsLonger) {
      throw new ResponseError("too-large", `a record has more than ${this.#recordBytesMax} bytes`);
    }
    this.#carry = Buffer.alloc(0);
    this.#carried = 0;
    this.#isSkipping = !ended;
    if (!ended) return;
    this.#skipped++;
    this.#place = "after-record";
  }

  /** Copies, so that a record that comes in tiny chunks costs no more than its own bytes. */
  #carryOver(piece: Buffer): void {
    const needed = this.#carried + piece.length;
    if (needed > this.#carry.length) {
      const larger = Buffer.allocUnsafe(Math.max(CARRY_BYTES_MIN, 2 * needed));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    piece.copy(this.#carry, this.#carried);
    this.#carried = needed;
  }
}

function indexOrEnd(chunk: Buffer, byte: number, start: number): number {
  const index = chunk.indexOf(byte, start);
  return index < 0 ? chunk.length : index;
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function nameOf(byte: number): string {
  return byte > 0x20 && byte < 0x7f
    ? `"${String.fromCharCode(byte)}"`
    : `byte 0x${byte.toString(16).padStart(2, "0")}`;
}
