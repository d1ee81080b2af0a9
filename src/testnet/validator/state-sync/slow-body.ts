/** Receives a response, and gives up on one that stalls: a server that sends single bytes must not delay a start. */

import { ServerError } from "./server-error.ts";

export interface ReceiveLimits {
  /** How long to wait for the headers, or for the next bytes, in milliseconds. */
  readonly silenceMs: number;
  /** Bytes a second that a server must reach on average, once waiting has taken `silenceMs` in total. */
  readonly bytesPerSecondMin: number;
}

/**
 * Yields the pieces of a response. Only the time of waiting for the server counts, not that of using a piece.
 *
 * @throws ServerError `failed`
 */
export async function* receive(
  body: AsyncIterable<Buffer>,
  { silenceMs, bytesPerSecondMin }: ReceiveLimits,
  nowMs: () => number = () => performance.now(),
): AsyncGenerator<Buffer, void, void> {
  const pieces = body[Symbol.asyncIterator]();
  let waitedMs = 0;
  let bytes = 0;
  try {
    for (;;) {
      const askedMs = nowMs();
      const next = await pieces.next();
      waitedMs += nowMs() - askedMs;
      if (next.done === true) return;
      bytes += next.value.length;
      if (waitedMs > silenceMs && bytes < (bytesPerSecondMin * waitedMs) / 1000) {
        throw new ServerError("failed", `it sent ${bytes} bytes in ${Math.round(waitedMs)} ms: too slow`);
      }
      yield next.value;
    }
  } finally {
    await pieces.return?.();
  }
}
