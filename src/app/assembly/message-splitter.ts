/** Splits a file of gossip messages into messages: the items of a list, or lines. */

import { RecordFramer } from "../../canonical/record-framer.ts";
import { gossipMessageBytesMax } from "../../limits/gossip.ts";
import { WireError } from "../../wire/parse.ts";

const bounds = { recordBytesMax: gossipMessageBytesMax, skipsLonger: true };

const listStart = /^\s*\[/;
const objectStart = /^\s*\{\s*"messages"\s*:/;

/** The beginning of a file that shows its form. */
export const HEAD_BYTES = 4_096;

/** Replaces a message that is too long. It is malformed, so it is counted as such. */
const TOO_LONG = Buffer.from("…");

export interface MessageSplitter {
  push(chunk: Buffer): Buffer[];
  end(): Buffer[];
}

/** Returns the splitter for a file that begins with these bytes. */
export function formOf(head: Buffer, path: string): MessageSplitter {
  const beginning = head.toString("latin1");
  if (objectStart.test(beginning)) return new ListItems("messages");
  return listStart.test(beginning) ? new ListItems(undefined) : new Lines(path);
}

class ListItems implements MessageSplitter {
  readonly #framer: RecordFramer;

  constructor(key: string | undefined) {
    this.#framer = new RecordFramer(key, bounds);
  }

  push(chunk: Buffer): Buffer[] {
    return this.#framer.push(chunk);
  }

  end(): Buffer[] {
    this.#framer.end();
    return Array.from({ length: this.#framer.skipped }, () => TOO_LONG);
  }
}

const NEWLINE = 0x0a;

class Lines implements MessageSplitter {
  readonly #path: string;
  /** The beginning of a line that continues in the next chunk. */
  #pieces: Buffer[] = [];
  #length = 0;
  #lines = 0;
  #isAnyObject = false;

  constructor(path: string) {
    this.#path = path;
  }

  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#hold(chunk.subarray(start, end));
      lines.push(...this.#takeLine());
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
    return lines;
  }

  end(): Buffer[] {
    const lines = this.#takeLine();
    if (this.#lines > 0 && !this.#isAnyObject) {
      throw new WireError(this.#path, "expected gossip messages: a list, or one per line");
    }
    return lines;
  }

  #hold(piece: Buffer): void {
    this.#length += piece.length;
    // A longer line is not a message: only its length is kept.
    if (this.#length > gossipMessageBytesMax) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(Buffer.from(piece));
  }

  /** Returns none for an empty line. */
  #takeLine(): Buffer[] {
    const line = this.#length > gossipMessageBytesMax ? TOO_LONG : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    const text = line.toString("latin1", 0, HEAD_BYTES).trim();
    if (text === "") return [];
    this.#lines++;
    this.#isAnyObject ||= text.startsWith("{");
    return [line];
  }
}
