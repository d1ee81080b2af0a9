/** Bounds on seeds: older states that a run completes with what has changed since. */

import { KiB, MiB } from "./units.ts";

/** Bytes of a list that are read at once; also the size of the buffers in front of the hash and the disk. */
export const listReadBytes = 512 * KiB;

/** A copy in a seed. Larger ones are fetched: a seed is not checked before it is read, and may be a file of anything. */
export const seedCopyBytesMax = 16 * MiB;

/** Data of an account that is read from an archiver's database together with 99 others; larger data is read alone. */
export const archiverRowBytes = 64 * KiB;

/** How long before the moment of a seed an account that has changed after it may be dated. A network assigns a
 *  transaction to the cycle that contains its timestamp plus a settle time. */
export const settleMs = 8_000;

/** Added to {@link settleMs}, for clocks that differ. It costs the accounts that changed within it. */
export const settleMarginMs = 4_000;

/** Threads that complete partitions: each reads, hashes and writes one at a time. */
export const mergeThreadsMax = 4;

/** How long a thread waits for work before it ends. */
export const mergeThreadIdleMs = 1_000;

/** How long a thread waits for its first work: until the validators have agreed and the first response has come. */
export const mergeThreadPreparedMs = 30_000;

/** The shortest beginning of a partition that is kept: less is requested again. */
export const beginningBytesMin = 16 * KiB;

/** How often the beginning of a partition is kept in a run. A response that breaks off half-way leaves half of what is
 *  missing, so that a partition of any size takes fewer. */
export const continuationsMax = 64;

/** How many deltas of a partition may break off before it is requested whole: unlike a delta, a whole partition leaves a
 *  beginning. */
export const brokenDeltasMax = 2;
