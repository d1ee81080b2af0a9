/**
 * Reads gossip messages from a file: `{"messages":[…]}`, a bare list, or one message per line. A run reads the file
 * again for each boundary that it tries. A pipe can be read only once, so its messages are kept in memory.
 */

import { stat } from "node:fs/promises";
import { ResponseError } from "../../errors/response-error.ts";
import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import { fileChunks } from "../../fetch/bounded-file.ts";
import { gossipPipeBytesMax } from "../../limits/gossip.ts";
import { WireError } from "../../wire/parse.ts";
import { messagesIn } from "./message-splitter.ts";

export class GossipFile implements AsyncIterable<string> {
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  readonly #pipeBytesMax: number;
  /** The messages of a pipe; `undefined` for a file, and for a pipe that was not read to its end. */
  #kept: readonly string[] | undefined;
  #isPipeBegun = false;

  /** @param pipeBytesMax the number of bytes of a pipe that are kept */
  constructor(path: string, signal?: AbortSignal, pipeBytesMax: number = gossipPipeBytesMax) {
    this.#path = path;
    this.#signal = signal;
    this.#pipeBytesMax = pipeBytesMax;
  }

  /**
   * Reads the file from its beginning.
   *
   * @throws SnapshotError `configuration`
   */
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
      const isMalformed = error instanceof WireError || error instanceof ResponseError;
      const problem = isMalformed ? "is not a list of gossip messages" : "cannot be read";
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
      hint: "Write the messages to a file and give it with --gossip, or give one --timestamp instead of latest.",
    });
  }

  async *#messages(): AsyncGenerator<string, void, void> {
    yield* messagesIn(fileChunks(this.#path, this.#signal), this.#path);
  }
}
