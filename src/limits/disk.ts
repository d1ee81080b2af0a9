/** Bounds on files, and on the memory that buffers a partition before it is written. */

import { KiB, MiB } from "./units.ts";

/** Size of the buffers between the socket, the hash and the disk. */
export const writeBufferBytes = 256 * KiB;

/** Idle buffers that are kept for reuse: two for each of the usual number of responses. */
export const idleBuffersMax = 8;

/** Bytes of one response that wait to be written, over all of its partitions. */
export const pendingBytesMax = 8 * MiB;

/** How long the hash thread waits for work before it ends: in a run, partitions follow each other without a pause. */
export const hashThreadIdleMs = 1_000;

/** Bytes of copies that are sorted in memory at once if a response is out of order. */
export const sortChunkBytes = 24 * MiB;

/** Sorted runs that are merged at once: each is an open file. */
export const sortFanInMax = 64;

/** How long a named pipe may have no writer, and how often it is checked. */
export const pipeWaitMaxMs = 30_000;
export const pipeCheckMs = 10;
