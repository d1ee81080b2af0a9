/**
 * The chunks of a readable stream one by one, as received: the stream's own iterator copies waiting chunks into one.
 * While a chunk waits here, the stream is paused.
 */

import { finished, type Readable } from "node:stream";

/**
 * @param failureOf what to throw for an error of the stream
 * @throws what the stream ends with, an end before its end included
 */
export async function* flowing(
  stream: Readable,
  failureOf: (error: Error) => unknown = (error) => error,
): AsyncGenerator<Buffer, void, void> {
  const chunks: Buffer[] = [];
  let isOver = false;
  let failure: Error | null | undefined;
  let wake: () => void = () => undefined;
  const take = (chunk: Buffer) => {
    chunks.push(chunk);
    stream.pause();
    wake();
  };
  stream.on("data", take);
  const unwatch = finished(stream, { writable: false }, (error) => {
    isOver = true;
    failure = error;
    wake();
  });
  try {
    for (;;) {
      const chunk = chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (failure) throw failureOf(failure);
      else if (isOver) return;
      else {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        stream.resume();
        await woken;
      }
    }
  } finally {
    stream.off("data", take);
    unwatch();
  }
}
