/**
 * Reads the bytes of an answer as runs of copies: the fast way where it can, the plain way where it must.
 *
 * What was received lies in the memory of the copy engine. A record that goes on in the next chunk is held
 * until that has come, and tried again from its beginning; not before there is twice as much of it, so that
 * a record in tiny chunks costs no more than twice its bytes. One that is too large for that goes the plain
 * way.
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
  readonly #engine: FastPath;
  /** The beginning of a record, at the beginning of the engine's input. */
  #heldBytes = 0;
  /** How much of it there must be before it is tried again. */
  #enoughBytes = 0;

  constructor(shard: Shard) {
    this.#shard = shard;
    this.#engine = FastPath.take(shard);
    // Otherwise there would be no room for a chunk beside what is held.
    if (this.#engine.input.length <= heldRecordBytesMax) throw new Error("the engine's input is too small");
  }

  /** No run may be in use any more, and nothing may be read. */
  close(): void {
    this.#engine.giveBack();
  }

  /**
   * The copies of the records that end in this chunk; the last ones may be held back until the next.
   *
   * @throws ResponseError
   */
  *read(chunk: Buffer): Generator<CopyRun, void, void> {
    const { input } = this.#engine;
    for (let offset = 0; offset < chunk.length; ) {
      const held = this.#heldBytes;
      const bytes = chunk.copy(input, held, offset, offset + input.length - heldRecordBytesMax);
      offset += bytes;
      this.#heldBytes += bytes;
      if (this.#heldBytes >= this.#enoughBytes) yield* this.#readHeld(heldRecordBytesMax);
    }
  }

  /**
   * The copies that were held back, once there is no more to read.
   *
   * @throws ResponseError
   */
  *rest(): Generator<CopyRun, void, void> {
    yield* this.#readHeld(0);
  }

  /** @throws ResponseError, `truncated` where the answer is not complete */
  end(): void {
    this.#framer.end();
  }

  /** @param holdMax bytes of an incomplete record that may be held back */
  *#readHeld(holdMax: number): Generator<CopyRun, void, void> {
    const bytes = this.#engine.input.subarray(0, this.#heldBytes);
    this.#heldBytes = 0;
    this.#enoughBytes = 0;
    let offset = 0;
    while (offset < bytes.length) {
      if (!this.#framer.isInRecord) {
        offset = this.#framer.seekRecord(bytes, offset);
        if (!this.#framer.isInRecord) return;
        const { stoppedAt, ending } = this.#engine.copy(offset, bytes.length);
        yield* this.#engine.runs();
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
    this.#engine.input.set(beginning);
    this.#heldBytes = beginning.length;
    this.#enoughBytes = Math.min(2 * beginning.length, heldRecordBytesMax);
  }
}
