/** Buffers of a merge thread. They are reused, because V8 frees the memory of buffers late. */

import { listReadBytes } from "../limits/seed.ts";

const BUFFER_BYTES = 2 * listReadBytes;

const spare: Buffer[] = [];

/** Returns a buffer of twice {@link listReadBytes}, with any content. */
export function takeBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
}

/** Gives back a buffer that nothing refers to any more. One of another size is left to the garbage collector. */
export function giveBack(buffer: Buffer): void {
  if (buffer.length === BUFFER_BYTES) spare.push(buffer);
}
