/**
 * Reads the bytes of a response as runs of copies: on the fast path if possible, otherwise on the slow path.
 *
 * Received bytes are in the memory of the fast path. A record that continues in the next chunk is held, and read again
 * from its beginning when twice as much of it has arrived, so that a record in tiny chunks costs no more than twice its
 * bytes. A record that is too large to be held takes the slow path.
 */

import { heldRecordBytesMax } from "../limits/response.ts";
import type { Shard } from "../protocol/shard.ts";
import type { CopyRun } from "./copy-run.ts";
import { FastPath } from "./fast-path.ts";
import { RecordFramer } from "./record-framer.ts";
import { slowPathCopy } from "./slow-path.ts";

export class ResponseReader {
  readonly #shard: Shard;
  readonly #framer = new RecordFramer("snapshot");
  readonly #fastPath: FastPath;
  /** The beginning of a record, at the beginning of the fast path's input. */
  #heldBytes = 0;
  /** The number of its bytes that are required before it is read again. */
  #enoughBytes = 0;

  constructor(shard: Shard) {
    this.#shard = shard;
    this.#fastPath = FastPath.take(shard);
    // There must be room for a chunk after the held bytes.
    if (this.#fastPath.input.length <= heldRecordBytesMax)
      throw new Error("the fast path's input is too small");
  }

  /** Releases the fast path: no run may be in use, and nothing may be read after that. */
  close(): void {
    this.#fastPath.giveBack();
  }

  /**
   * Yields the copies of the records that end in this chunk; the last ones may be held until the next chunk.
   *
   * @throws ResponseError
   */
  *read(chunk: Buffer): Generator<CopyRun, void, void> {
    const { input } = this.#fastPath;
    for (let offset = 0; offset < chunk.length; ) {
      const held = this.#heldBytes;
      const bytes = chunk.copy(input, held, offset, offset + input.length - heldRecordBytesMax);
      offset += bytes;
      this.#heldBytes += bytes;
      if (this.#heldBytes >= this.#enoughBytes) yield* this.#readHeld(heldRecordBytesMax);
    }
  }

  /**
   * Yields the copies that were held. Call it after the last chunk.
   *
   * @throws ResponseError
   */
  *rest(): Generator<CopyRun, void, void> {
    yield* this.#readHeld(0);
  }

  /**
   * Checks at the end of the response that it is complete.
   *
   * @throws ResponseError, `truncated` if the response is not complete
   */
  end(): void {
    this.#framer.end();
  }

  /** @param holdMax bytes of an incomplete record that may be held */
  *#readHeld(holdMax: number): Generator<CopyRun, void, void> {
    const bytes = this.#fastPath.input.subarray(0, this.#heldBytes);
    this.#heldBytes = 0;
    this.#enoughBytes = 0;
    let offset = 0;
    while (offset < bytes.length) {
      if (!this.#framer.isInRecord) {
        offset = this.#framer.seekRecord(bytes, offset);
        if (!this.#framer.isInRecord) return;
        const { stoppedAt, ending } = this.#fastPath.copy(offset, bytes.length);
        yield* this.#fastPath.runs();
        offset = stoppedAt;
        if (ending === "after-record") {
          this.#framer.passRecord();
          continue;
        }
        if (ending === "incomplete" && bytes.length - offset <= holdMax) {
          this.#framer.awaitRecord();
          this.#hold(bytes.subarray(offset));
          return;
        }
      }
      const { end, record } = this.#framer.takeRecord(bytes, offset);
      offset = end;
      if (record !== undefined) yield slowPathCopy(record, this.#shard);
    }
  }

  #hold(beginning: Buffer): void {
    this.#fastPath.input.set(beginning);
    this.#heldBytes = beginning.length;
    this.#enoughBytes = Math.min(2 * beginning.length, heldRecordBytesMax);
  }
}
