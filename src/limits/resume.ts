/** Bounds on resuming from the receipts of an archiver. */

import { nodesMax } from "./network.ts";
import { MiB } from "./units.ts";

/** How long after a transaction core files its accounts under a cycle (core 2.15.8, `syncSettleTime`). */
export const settleTimeMs = 8_000;

/** The first cycles of a network, in which a group may have fewer validators than it should (archiver 3.7.7,
 *  `formingNetworkCycleThreshold`). */
export const formingCyclesMax = 30;

/** One column of a receipt. The code of a contract has 24 KiB, and a transaction changes few accounts. */
export const receiptColumnBytesMax = 32 * MiB;

/** The ID of a receipt: 64 digits. A longer one is shown shortened. */
export const receiptIdBytesMax = 256;

/** Accounts that one transaction changes. */
export const receiptAccountsMax = 10_000;

/** Signatures of one receipt: a group has at most all nodes. */
export const receiptSignaturesMax = nodesMax;

/** Receipts of one millisecond that wait for another one of the same millisecond. Each is read again for each that is
 *  applied. */
export const waitingReceiptsMax = 1_000;

/** Receipts, accounts and cycles that a report lists. */
export const resumeShownMax = 20;

/** Receipts between two messages about progress. */
export const resumeProgressReceipts = 1_000;

/** Cycles whose nodes are remembered: receipts are read in order of time, which is nearly that of cycles. */
export const rememberedCycles = 64;

/** Records before the snapshot's that are searched for the key of a node that was joining. */
export const searchedRecordsMax = 2_000;

/** Records with one number that an archiver's database may have; two are a fork already. */
export const recordsOfCycleMax = 4;
