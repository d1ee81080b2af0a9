/** The text of a `{"snapshot":[{…},{…}]}` outside its records: what is before, between and after them. */

import { ResponseError } from "../errors/response-error.ts";
import { whiteSpaceRunMax } from "../limits/response.ts";

const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_LIST = 0x5d;
const CLOSE_BRACE = 0x7d;

/** What is read next. `first` and `next` are records, of which only the first may be missing. */
type Place = "head" | "first" | "record" | "after-record" | "next" | "tail" | "end";

export class ListSyntax {
  /** The tokens before the first record; white space may stand before each. */
  readonly #head: readonly Buffer[];
  #place: Place = "head";
  /** The token of the head that is being read, and how much of it was read. */
  #token = 0;
  #tokenOffset = 0;
  #whiteSpace = 0;

  /** @param listKey the key of the list; without a key, the text is the bare list */
  constructor(listKey: string | undefined) {
    const tokens = listKey === undefined ? ["["] : ["{", JSON.stringify(listKey), ":", "["];
    this.#head = tokens.map((text) => Buffer.from(text));
  }

  /** Whether the next byte belongs to a record. */
  get isInRecord(): boolean {
    return this.#place === "record";
  }

  get isOver(): boolean {
    return this.#place === "end";
  }

  /**
   * Reads up to the brace of the next record, or to the end of the chunk; returns where it stopped.
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
      // The brace that begins a record belongs to the record.
      if (this.#step(byte)) return offset;
      offset++;
    }
    return offset;
  }

  /** Call it at the brace of a record: the record is sought again when more of it has been received. */
  awaitRecord(): void {
    this.#place = "next";
  }

  /** Call it at the end of a record. */
  endRecord(): void {
    this.#place = "after-record";
  }

  /** Reads one byte outside records; returns whether it begins a record. */
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
        if (byte !== CLOSE_LIST || this.#place === "next") {
          throw new ResponseError("malformed", `expected a record, got ${nameOf(byte)}`);
        }
        this.#endList();
        return false;
      case "after-record":
        if (byte === COMMA) this.#place = "next";
        else if (byte === CLOSE_LIST) this.#endList();
        else throw new ResponseError("malformed", `expected , or ] after a record, got ${nameOf(byte)}`);
        return false;
      case "tail":
        if (byte !== CLOSE_BRACE) {
          throw new ResponseError("malformed", `expected } after the list, got ${nameOf(byte)}`);
        }
        this.#place = "end";
        return false;
      case "end":
        throw new ResponseError("malformed", `the response continues after its end, with ${nameOf(byte)}`);
      case "record":
        throw new Error("the text outside of records was read inside of one");
    }
  }

  #stepHead(byte: number): void {
    const token = this.#head[this.#token];
    if (token === undefined || byte !== token[this.#tokenOffset]) {
      const expected = this.#head.map(String).join("");
      throw new ResponseError(
        "malformed",
        `the response does not begin with ${expected}, but has ${nameOf(byte)} there`,
      );
    }
    if (++this.#tokenOffset < token.length) return;
    this.#tokenOffset = 0;
    if (++this.#token === this.#head.length) this.#place = "first";
  }

  #endList(): void {
    this.#place = this.#head.length > 1 ? "tail" : "end";
  }
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function nameOf(byte: number): string {
  return byte > 0x20 && byte < 0x7f
    ? `"${String.fromCharCode(byte)}"`
    : `byte 0x${byte.toString(16).padStart(2, "0")}`;
}
