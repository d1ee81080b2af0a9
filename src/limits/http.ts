/** Bounds on the HTTP client: one response, its compression, and retries. */

import { KiB, MiB } from "./units.ts";

/** Headers of one response. */
export const headerBytesMax = 32 * KiB;

/** The body of an error response. One line of it is shown. */
export const errorBodyBytesMax = 4 * KiB;

/** Uncompressed ÷ compressed bytes of a gzip body, once past {@link gzipRatioFromBytes}. Account text reaches about
 *  20; only filler comes near gzip's limit of 1,032. */
export const gzipRatioMax = 250;
export const gzipRatioFromBytes = 8 * MiB;

/** By how much the compressed bytes may exceed the uncompressed ones: gzip never lengthens a text by more, but a stream
 *  of empty blocks has no content. */
export const gzipIdleBytesMax = 1 * MiB;

/** The rate, measured over a stall timeout, below which a response is stalled: a node that sends single bytes must not
 *  delay the run indefinitely. */
export const bytesPerSecondMin = 1 * KiB;

/** Memory that a connection receives into at once. */
export const receiveBufferBytes = 128 * KiB;

/** Attempts of one request to one node, the first included. */
export const attemptsMax = 4;

/** Pauses between attempts. They double from the first to the last, with jitter. */
export const backoffFirstMs = 250;
export const backoffLastMs = 8_000;

/** The longest `Retry-After` that is obeyed; a node that demands more receives no further request. */
export const retryAfterMaxMs = 60_000;
