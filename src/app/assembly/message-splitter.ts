/** Splits a text with gossip messages into messages: the items of a list, or lines. */

import { RecordFramer } from "../../canonical/record-framer.ts";
import { gossipFileBytesMax, gossipMessageBytesMax } from "../../limits/gossip.ts";
import { WireError } from "../../wire/parse.ts";

const bounds = { recordBytesMax: gossipMessageBytesMax, skipsLonger: true };

const listStart = /^\s*\[/;
const objectStart = /^\s*\{\s*"messages"\s*:/;

/** The beginning of a text that shows its form. */
const HEAD_BYTES = 4_096;

/** Replaces a message that is too long. It is malformed, so it is counted as such. */
const TOO_LONG = Buffer.from("…");

/**
 * Yields the messages of a text.
 *
 * @param source names the text in errors
 * @throws WireError, ResponseError
 */
export async function* messagesIn(
  chunks: AsyncIterable<Buffer>,
  source: string,
): AsyncGenerator<string, void, void> {
  let records: MessageSplitter | undefined;
  let bytes = 0;
  let head = Buffer.alloc(0);
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > gossipFileBytesMax)
      throw new WireError(source, `it has more than ${gossipFileBytesMax} bytes`);
    if (records !== undefined) yield* textsOf(records.push(chunk));
    else {
      head = Buffer.concat([head, chunk]);
      if (head.length < HEAD_BYTES) continue;
      records = formOf(head, source);
      yield* textsOf(records.push(head));
    }
  }
  if (records === undefined) {
    records = formOf(head, source);
    yield* textsOf(records.push(head));
  }
  yield* textsOf(records.end());
}

function* textsOf(records: readonly Buffer[]): Generator<string, void, void> {
  for (const record of records) yield record.toString("utf8");
}

interface MessageSplitter {
  push(chunk: Buffer): Buffer[];
  end(): Buffer[];
}

/** Returns the splitter for a text that begins with these bytes. */
function formOf(head: Buffer, path: string): MessageSplitter {
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
