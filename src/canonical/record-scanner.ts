/**
 * Finds the end of a record over chunks, and keeps its beginning until then. Only quotes, backslashes, braces and
 * brackets matter for that; the parser of the record checks everything else.
 */

import { ResponseError } from "../errors/response-error.ts";

const QUOTE = 0x22;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Memory for the beginning of a record: most records fit. */
const CARRY_BYTES_MIN = 4096;

export interface FramerBounds {
  readonly recordBytesMax: number;
  /** Whether a longer record is skipped without being kept in memory; otherwise it is an error. */
  readonly skipsLonger?: boolean;
}

export interface Scan {
  /** The offset at which the scan stopped. */
  readonly end: number;
  /** Whether the record ends there. */
  readonly isEnded: boolean;
  /** The record, if it ends there and was not skipped. */
  readonly record: Buffer | undefined;
}

export class RecordScanner {
  readonly #bounds: FramerBounds;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The beginning of a record that continues in the next chunk. */
  #carry = Buffer.alloc(0);
  #carried = 0;
  #isSkipping = false;
  #skipped = 0;

  constructor(bounds: FramerBounds) {
    this.#bounds = bounds;
  }

  /** The number of records that were skipped because they exceed the bound. */
  get skipped(): number {
    return this.#skipped;
  }

  /**
   * Scans to the end of the record or of the chunk. The record may share the chunk's memory.
   *
   * @throws ResponseError
   */
  scan(chunk: Buffer, start: number): Scan {
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    let offset = start;
    let isEnded = false;
    let backslash = -1;
    while (offset < chunk.length && !isEnded) {
      if (this.#isSkipping && inString && !escaped) {
        // A hostile record is one long string: a search for the bytes that matter costs less than a check of each byte.
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
      else if (byte === CLOSE_BRACE || byte === CLOSE_LIST) isEnded = --depth === 0;
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    if (this.#isSkipping || this.#carried + offset - start > this.#bounds.recordBytesMax) {
      this.#skip(isEnded);
      return { end: offset, isEnded, record: undefined };
    }
    return { end: offset, isEnded, record: this.#gather(chunk.subarray(start, offset), isEnded) };
  }

  #gather(piece: Buffer, isEnded: boolean): Buffer | undefined {
    if (!isEnded || this.#carried > 0) this.#carryOver(piece);
    if (!isEnded) return undefined;
    const record = this.#carried > 0 ? this.#carry.subarray(0, this.#carried) : piece;
    // The returned record keeps its memory: the next one gets memory of its own.
    this.#forgetCarry();
    return record;
  }

  /**
   * Ends a record that is longer than its bound.
   *
   * @throws ResponseError unless longer records are skipped
   */
  #skip(isEnded: boolean): void {
    const { skipsLonger, recordBytesMax } = this.#bounds;
    if (skipsLonger !== true) {
      throw new ResponseError("too-large", `a record has more than ${recordBytesMax} bytes`);
    }
    this.#forgetCarry();
    this.#isSkipping = !isEnded;
    if (isEnded) this.#skipped++;
  }

  #forgetCarry(): void {
    this.#carry = Buffer.alloc(0);
    this.#carried = 0;
  }

  /** Copies into memory that doubles, so that a record in tiny chunks costs no more than its own bytes. */
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
