/**
 * Yields the chunks of a readable stream as received. (The stream's own iterator copies waiting chunks into one.) The
 * stream is paused while a chunk waits.
 */

import { finished, type Readable } from "node:stream";

/**
 * @param failureOf converts an error of the stream to the error to throw
 * @throws the converted error, also if the stream closes before its end
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
