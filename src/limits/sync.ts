/** Bounds on the scheduler: unconfirmed bytes on the disk, stragglers, hedged requests, and throughput. */

import { KiB, MiB, TiB } from "./units.ts";

/** Concurrent requests: each has a connection and a file. */
export const concurrencyMax = 64;

/** Bytes that one response may hold on the disk before a hash confirms them: at first
 *  {@link unconfirmedBytesFirst}; then {@link unconfirmedPerConfirmed} times the largest confirmed partition, since
 *  addresses are spread evenly; if other nodes sent more than either, {@link unconfirmedFactor} times as much, and
 *  so on up to {@link partitionBytesMax}. */
export const unconfirmedBytesFirst = 32 * MiB;
export const unconfirmedPerConfirmed = 4;
export const unconfirmedFactor = 16;
export const partitionBytesMax = 8 * TiB;

/** The share of the free disk that all responses together may hold unconfirmed: other programs use the disk as well.
 *  At the end, when no other node is left to query and responses run one at a time, one response may hold more. */
export const unconfirmedDiskShare = 1 / 2;
export const unconfirmedDiskShareLast = 7 / 8;

/** A response's bytes for each partition that its node stores, kept or skipped. */
export const responseBytesPerPartition = 512 * MiB;

/** A response is a straggler when it takes this many times as long as others took for the same number of bytes, and at
 *  least this much longer: pauses of a second are usual. */
export const stragglerFactor = 4;
export const stragglerAfterMs = 2_000;

/** Without other responses to compare with, a response is a straggler after this time without a byte (a third of the
 *  usual stall timeout), or this time after it would have ended at the slowest acceptable rate. The hedged request then
 *  provides a response to compare with. */
export const stragglerUnmeasuredMs = 10_000;
export const unmeasuredBytesPerSecond = 256 * KiB;

/** How often the scheduler checks for stragglers. */
export const stragglerCheckMs = 250;

/** The pause between checks is this share of the time since the last decision, up to a bound: hours of waiting cost
 *  little. */
export const stragglerCheckShare = 1 / 20;
export const stragglerCheckMaxMs = 5_000;

/** How many times as long as others a response may be and still be compared with them by length: a node that does not
 *  support ranges sends all that it stores, while others may send one partition of it. */
export const lengthFactor = 16;

/** The longest wait for stragglers at the end, when every other node was queried as well, in multiples of the usual
 *  wait. The wait doubles up to this bound, so a slow and honest node can finish. */
export const hedgeBackoffMax = 64;

/** Concurrent hedged requests, and concurrent requests for one partition, the first included. Each further request may
 *  transfer and store every byte again. */
export const hedgesMax = 4;
export const queriesPerPartitionMax = 3;

/** Partitions of one query to a mirror, which gives one at a time: validators that can be requested again, and other
 *  mirrors, find something left. */
export const mirrorPartitionsMax = 32;

/** The weight of a node's newest response in its measured speed, so that one slow response is not decisive. */
export const speedSmoothing = 0.3;

/** The shortest response whose speed is measured: shorter ones arrive in one piece. */
export const speedSampleBytes = 1_000_000;

/** The number of newest responses that others are compared with: enough that a minority of slow ones has no effect. */
export const speedsCompared = 64;

/** The smallest difference in time that ranks a node behind others: smaller ones are chance. */
export const paceMarginMs = 100;

/** How long other responses may continue once every partition is verified and one response is over. Usually only a few
 *  bytes are missing, and the run record reports how each response ended. */
export const responseTailMs = 250;

/** How long the run waits for the first response at most: longer than the usual stall timeout, so that a response that
 *  stalls is recorded as stalled, and a peer that sends a byte now and then does not keep a complete run from ending. */
export const responseTailMaxMs = 60_000;

/** Offences that are recorded for one node: enough to act on, and too few to fill the disk. */
export const offencesPerNodeMax = 50;
