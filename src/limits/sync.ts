/** Bounds on the scheduler: unconfirmed bytes on the disk, stragglers, hedged requests, and throughput. */

import { KiB, MiB, TiB } from "./units.ts";

/** Nodes that are requested at the same time: each has a connection and a file. */
export const concurrencyMax = 64;

/** Bytes that one response may hold on the disk before a hash confirms them: at first
 *  {@link unconfirmedBytesFirst}; then {@link unconfirmedPerConfirmed} times the largest confirmed partition, since
 *  addresses are spread evenly; where other nodes sent more than either, {@link unconfirmedFactor} times as much, and
 *  so on up to {@link partitionBytesMax}. */
export const unconfirmedBytesFirst = 32 * MiB;
export const unconfirmedPerConfirmed = 4;
export const unconfirmedFactor = 16;
export const partitionBytesMax = 8 * TiB;

/** The share of the free disk that all responses together may hold unconfirmed: other programs use the disk as well.
 *  In the end, when no further node can be requested and responses come one at a time, one may hold more. */
export const unconfirmedDiskShare = 1 / 2;
export const unconfirmedDiskShareLast = 7 / 8;

/** A response's bytes for each partition that its node stores, kept or skipped. */
export const responseBytesPerPartition = 512 * MiB;

/** A response is a straggler when it kept us waiting so many times as long as others did for as many bytes, and this
 *  much longer at least: a pause of a second is usual. */
export const stragglerFactor = 4;
export const stragglerAfterMs = 2_000;

/** Where there is no other response to compare with, a response is a straggler after this time without a byte (a third
 *  of the usual stall timeout), or this time after it would have ended at the slowest rate that starts no hedged
 *  request. Then there is a response to compare with. */
export const stragglerUnmeasuredMs = 10_000;
export const unmeasuredBytesPerSecond = 256 * KiB;

/** How often the scheduler checks for stragglers. */
export const stragglerCheckMs = 250;

/** After a time without a decision, the pause between checks is this share of it, up to a bound: hours of waiting cost
 *  little. */
export const stragglerCheckShare = 1 / 20;
export const stragglerCheckMaxMs = 5_000;

/** How many times as long as others a response may be for its length to count towards whether it is a straggler: a
 *  node that knows no ranges sends all that it stores; others perhaps send one partition of it. */
export const lengthFactor = 16;

/** How many times the usual time stragglers are waited for in the end, where every other node was requested as well.
 *  The time doubles up to here, so that a slow and honest node can end at last. */
export const hedgeBackoffMax = 64;

/** Partitions of stragglers that are hedged at once, and nodes that send one partition at once, the first included.
 *  Each further node may bring every byte again, into memory and onto the disk. */
export const hedgesMax = 4;
export const queriesPerPartitionMax = 3;

/** The weight of a node's newest response in what is known of its speed, so that one slow response decides nothing. */
export const speedSmoothing = 0.3;

/** Shorter responses say nothing about bytes a second: they arrive in one piece. */
export const speedSampleBytes = 1_000_000;

/** The newest responses that others are compared with: enough that a minority of slow ones does not count. */
export const speedsCompared = 64;

/** Smaller differences do not rank a node behind others: they are chance. */
export const paceMarginMs = 100;

/** Once every partition is verified and one response is over, how long the other responses may go on to their end.
 *  Usually a few bytes are missing, and the run record reports how each response ended. */
export const responseTailMs = 250;

/** Offences recorded of one node: enough to act on, and too few to fill the disk. */
export const offencesPerNodeMax = 50;
