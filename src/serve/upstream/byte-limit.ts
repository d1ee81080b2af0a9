/** Passes a body on, up to a number of bytes. */

import { Transform, type TransformCallback } from "node:stream";

export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
  readonly code = "body-too-large";
  readonly statusCode = 413;
}

export class ByteLimit extends Transform {
  #left: number;

  constructor(bytesMax: number) {
    super();
    this.#left = bytesMax;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#left -= chunk.length;
    if (this.#left < 0) done(new BodyTooLargeError("the body is too large"));
    else done(null, chunk);
  }
}
