/** Bounds on the HTTP client: one response, its compression, and retries. */

import { KiB, MiB } from "./units.ts";

/** Headers of one response. */
export const headerBytesMax = 32 * KiB;

/** The body of an error response, of which one line is shown. */
export const errorBodyBytesMax = 4 * KiB;

/** Uncompressed ÷ compressed bytes of a gzip body, once past {@link gzipRatioFromBytes}. Account text reaches about
 *  20; only filler comes near gzip's limit of 1,032. */
export const gzipRatioMax = 250;
export const gzipRatioFromBytes = 8 * MiB;

/** Compressed bytes beyond the uncompressed ones: gzip never lengthens a text by more, but endless empty blocks have
 *  no content at all. */
export const gzipIdleBytesMax = 1 * MiB;

/** Bytes a second of a response, measured over a stall timeout, below which it is stalled: a node that sends a byte
 *  now and then must not delay the run for ever. */
export const bytesPerSecondMin = 1 * KiB;

/** Memory that a connection receives into at once. */
export const receiveBufferBytes = 128 * KiB;

/** Attempts at one node for one thing, the first included. */
export const attemptsMax = 4;

/** Pauses between attempts at one node. They double from the first to the last, with jitter. */
export const backoffFirstMs = 250;
export const backoffLastMs = 8_000;

/** The longest `Retry-After` that is obeyed; a node that asks for more is not requested again. */
export const retryAfterMaxMs = 60_000;
