/** The buffers of lists: small ones at first, then ones in shared memory that the hash thread can read as well. */

import { idleBuffersMax, writeBufferBytes } from "../limits/disk.ts";

const SMALL_BYTES = 4096;

/** A buffer is full at half of its size, and has room for one more run of copies. */
const LARGE_BYTES = 2 * writeBufferBytes;

/** Large buffers that are not in use. */
const idle: Buffer[] = [];

export function smallBuffer(): Buffer {
  return Buffer.allocUnsafe(SMALL_BYTES);
}

/** Returns a buffer for at least so many bytes, which begins with the content. */
export function largerBuffer(bytes: number, content: Buffer): Buffer {
  const larger =
    bytes > LARGE_BYTES
      ? shared(2 * bytes)
      : bytes > LARGE_BYTES / 8
        ? largeBuffer()
        : Buffer.allocUnsafe(2 * bytes);
  larger.set(content);
  return larger;
}

export function largeBuffer(): Buffer {
  return idle.pop() ?? shared(LARGE_BYTES);
}

/** The caller must not use the buffer any more. */
export function giveBack(buffer: Buffer): void {
  if (buffer.length === LARGE_BYTES && idle.length < idleBuffersMax) idle.push(buffer);
}

/** Returns bytes in memory that another thread can read: the same bytes, or a copy. */
export function shareable(bytes: Buffer): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? bytes : new Uint8Array(bytes);
}

function shared(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}
