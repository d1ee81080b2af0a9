/** Bounds on what an HTTP server accepts from a connection. */

import { KiB } from "./units.ts";

/** Headers of one request: validators and proxies send some hundred bytes. */
export const requestHeaderBytesMax = 8 * KiB;
export const requestHeadersMax = 64;

/** Waiting requests of one connection, and of one address prefix: the parser makes an object of some kilobytes of each
 *  before the handler runs. Clients that pipeline send a few ahead. */
export const pipelinedRequestsMax = 32;
export const waitingRequestsPerPrefixMax = 1_024;

/** Bytes of a connection that the parser receives at once: some 160 of the shortest requests. */
export const parsedBytesAtOnce = 4 * KiB;

/** Chunks of any size in which a body may arrive; from then on, chunks must have this many bytes on average. Each chunk
 *  costs an object and a call, and no honest client sends single bytes. */
export const bodyChunksMax = 1_024;
export const bytesPerChunkMin = 64;
