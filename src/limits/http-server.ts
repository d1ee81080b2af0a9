/** Bounds on what an HTTP server accepts from a connection. */

import { KiB } from "./units.ts";

/** Headers of one request: validators and proxies send some hundred bytes. */
export const requestHeaderBytesMax = 8 * KiB;
export const requestHeadersMax = 64;

/** Requests that wait on one connection, and from one address prefix: each is an object of some kilobytes that exists
 *  before any code reads it. Clients that pipeline send a few ahead. */
export const pipelinedRequestsMax = 32;
export const waitingRequestsPerPrefixMax = 1_024;

/** Bytes of a connection that a server's parser gets at once: some 160 of the shortest requests. */
export const parsedBytesAtOnce = 4 * KiB;

/** Chunks of any size in which a body may arrive; beyond them, chunks must have so many bytes on average. Each costs
 *  an object and a call, and no honest client sends a byte at a time. */
export const bodyChunksMax = 1_024;
export const bytesPerChunkMin = 64;
