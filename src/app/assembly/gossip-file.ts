/**
 * Gossip messages from a file: `{"messages":[…]}`, a bare list, or one message a line. They are read one by one, each
 * as it stands in the file. A run reads them again for each boundary that it tries; a pipe gives them only once, so that
 * what it gave is kept.
 */

import { stat } from "node:fs/promises";
import { RecordFramer } from "../../canonical/record-framer.ts";
import { ResponseError } from "../../errors/response-error.ts";
import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import { fileChunks } from "../../fetch/bounded-file.ts";
import { gossipFileBytesMax, gossipMessageBytesMax, gossipPipeBytesMax } from "../../limits/limits.ts";
import { WireError } from "../../wire/parse.ts";

const bounds = { recordBytesMax: gossipMessageBytesMax, skipsLonger: true };

const listStart = /^\s*\[/;
const objectStart = /^\s*\{\s*"messages"\s*:/;
/** How much of the file tells its form. */
const HEAD_BYTES = 4_096;

export class GossipFile implements AsyncIterable<string> {
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  readonly #pipeBytesMax: number;
  /** What a pipe gave; `undefined` of a file, and of a pipe that has not been read to its end. */
  #kept: readonly string[] | undefined;
  #isPipeBegun = false;

  /** @param pipeBytesMax how much of a pipe is kept */
  constructor(path: string, signal?: AbortSignal, pipeBytesMax: number = gossipPipeBytesMax) {
    this.#path = path;
    this.#signal = signal;
    this.#pipeBytesMax = pipeBytesMax;
  }

  /** Reads the file from its beginning. @throws SnapshotError `configuration` */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    if (this.#kept !== undefined) {
      yield* this.#kept;
      return;
    }
    if (this.#isPipeBegun) throw this.#readOnce();
    try {
      if ((await stat(this.#path)).isFile()) yield* this.#messages();
      else yield* this.#keeping();
    } catch (error) {
      if (error instanceof SnapshotError) throw error;
      this.#signal?.throwIfAborted();
      const isInside = error instanceof WireError || error instanceof ResponseError;
      const problem = isInside ? "is no list of gossip messages" : "cannot be read";
      throw new SnapshotError("configuration", `${this.#path} ${problem}: ${messageOf(error)}`, {
        cause: error,
        hint: "Correct the file given with --gossip.",
      });
    }
  }

  async *#keeping(): AsyncGenerator<string, void, void> {
    this.#isPipeBegun = true;
    let kept: string[] | undefined = [];
    let bytes = 0;
    for await (const message of this.#messages()) {
      bytes += message.length;
      if (bytes > this.#pipeBytesMax) kept = undefined;
      kept?.push(message);
      yield message;
    }
    this.#kept = kept;
  }

  #readOnce(): SnapshotError {
    const problem = `${this.#path} cannot be read a second time: it is a pipe of more than ${this.#pipeBytesMax} bytes`;
    return new SnapshotError("configuration", problem, {
      hint: "Write it to a file and give that with --gossip; or give the timestamp of one snapshot, for which it is read once.",
    });
  }

  async *#messages(): AsyncGenerator<string, void, void> {
    let records: Records | undefined;
    let bytes = 0;
    let head = Buffer.alloc(0);
    for await (const chunk of fileChunks(this.#path, this.#signal)) {
      bytes += chunk.length;
      if (bytes > gossipFileBytesMax) {
        throw new WireError(this.#path, `it has more than ${gossipFileBytesMax} bytes`);
      }
      if (records !== undefined) yield* textsOf(records.push(chunk));
      else {
        head = Buffer.concat([head, chunk]);
        if (head.length < HEAD_BYTES) continue;
        records = recordsOf(head, this.#path);
        yield* textsOf(records.push(head));
      }
    }
    if (records === undefined) {
      records = recordsOf(head, this.#path);
      yield* textsOf(records.push(head));
    }
    yield* textsOf(records.end());
  }
}

function* textsOf(records: readonly Buffer[]): Generator<string, void, void> {
  for (const record of records) yield record.toString("utf8");
}

/** In the place of what is too long for a message: no message either, so that it is counted among those. */
const TOO_LONG = Buffer.from("…");

/** What cuts a file into messages. */
interface Records {
  push(chunk: Buffer): Buffer[];
  end(): Buffer[];
}

function recordsOf(head: Buffer, path: string): Records {
  const beginning = head.toString("latin1");
  if (objectStart.test(beginning)) return new List("messages");
  return listStart.test(beginning) ? new List(undefined) : new Lines(path);
}

class List implements Records {
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

class Lines implements Records {
  readonly #path: string;
  /** The beginning of a line that goes on in the next chunk. */
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
      throw new WireError(this.#path, "expected gossip messages: a list, or one a line");
    }
    return lines;
  }

  #hold(piece: Buffer): void {
    this.#length += piece.length;
    // A longer line is no message: its length alone is remembered.
    if (this.#length > gossipMessageBytesMax) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(Buffer.from(piece));
  }

  /** None for an empty line. */
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
