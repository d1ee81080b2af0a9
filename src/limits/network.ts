/** Bounds on a network: its size, its cycles, and the lists and settings that are fetched. */

import { MiB } from "./units.ts";

/** Nodes in a network. From about 53,000 on, neighbouring partitions overlap under the rule for their ends
 *  (PROTOCOL.md, Partitions), so larger networks have no geometry. */
export const nodesMax = 50_000;

/** A list from an archiver or a file. Its signature covers all of it, so it is held in memory as bytes, as text, parsed,
 *  and as canonical text. 50,000 nodes of 300 bytes are 15 MB; 100 cycle records are seldom 1 MB. With both lists at the
 *  bound, a run takes some 400 MB. */
export const listBytesMax = 24 * MiB;

/** The time to fetch one list, from the start of the first attempt to the end of the last: an honest list of 15 MB
 *  takes less on any connection that can fetch a state. */
export const listTimeMaxMs = 45_000;

/** Cycle records requested from an archiver at once: six months of one-minute cycles. */
export const cycleRecordsMax = 262_144;

/** Cycle numbers: one a second for 30,000 years. */
export const cycleNumberMax = 1_000_000_000_000;

/** Network hashes of earlier cycles in one record: usually one. */
export const recordedHashesMax = 1_000;

/** The start of a cycle, in seconds: the end of the year 9999, the last one that ISO 8601 writes with four digits. */
export const secondsMax = 253_402_300_799;

/** The duration of a cycle, in seconds: timestamps are whole milliseconds, and usual cycles take a minute. */
export const cycleSecondsMin = 0.001;
export const cycleSecondsMax = 366 * 24 * 60 * 60;

/** Cycle records in one response to `POST /cycleinfo`, and such requests in one run: a month of one-minute cycles, which
 *  takes some 150 MB of memory. */
export const cyclePageRecords = 101;
export const cyclePagesMax = 500;

/** How long an archiver whose node list is newer than its cycle records has to store the missing record. */
export const recordsRereadMs = 1_000;

/** A `/network-txs-list` response: service transactions that the network repeats, of which there are few. */
export const txListBytesMax = 16 * MiB;

/** How long a run waits for it: a snapshot is right without it. */
export const txListTimeMaxMs = 15_000;

/** A `GET /archivers` response: a network has tens of them. */
export const archiversMax = 1_000;
export const archiverListBytesMax = 1 * MiB;

/** How long a run waits for it: a snapshot is right without it. */
export const archiverListTimeMaxMs = 15_000;

/** A `/netconfig` response. */
export const netconfigBytesMax = 4 * MiB;

/** The size of the sample of validators that are queried for `/netconfig`, how many at once, and the time for each.
 *  The sample is large enough that a dishonest minority of the network is not its majority, and does not delay a run. */
export const netconfigNodes = 21;
export const netconfigNodesAtOnce = 21;
export const netconfigTimeMaxMs = 15_000;

/** Validators that are queried for a `/netconfig` response that the cycle record proves. One honest validator
 *  suffices, and this many include one even if four in five are dishonest or silent. */
export const netconfigProofNodes = 84;

/** Boundaries that are tried for `latest`, the newest first: validators need time to finalize a cycle. */
export const latestCandidatesMax = 4;

/** How long after its end the newest cycle may lack agreed hashes when `latest` is requested: validators hash a cycle
 *  when its transactions are final, and gossip takes time. */
export const latestSettleMs = 60_000;
export const latestSettleCycles = 3;

/** How often a run for `latest` turns to newer boundaries, because the validators have dropped those before. With what it
 *  has of the older ones, each takes less time. */
export const latestRoundsMax = 4;
