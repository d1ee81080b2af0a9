/** Bounds on restoring. */

import { KiB, MiB } from "./units.ts";

/** Accounts that a refusal names: more would not help the reader. */
export const unfitAccountsShownMax = 20;

/** Accounts between two messages about progress. */
export const restoreProgressAccounts = 10_000;

/** SQLite's cache of pages while a database is written, in KiB. */
export const restoreCacheKiB = 8 * KiB;

/** Text that is collected before it is hashed or written. */
export const restoreTextCharacters = 256 * KiB;

/** From so many accounts of one timestamp on, an archiver skips others: a whole page of a restarting validator has that
 *  timestamp then, and the archiver applies the address with which the next page begins to later timestamps as well. */
export const crowdedAccountsMin = 200;

/** Timestamps with too many accounts that a result lists. */
export const crowdedTimestampsShownMax = 20;

/** The answer of an archiver to `GET /nodeInfo`, and how long it may take. */
export const nodeInfoBytesMax = 1 * MiB;
export const nodeInfoTimeoutMs = 5_000;

/** Accounts that an export may be limited to, and the bytes of a list of them: 64 digits and a line end each. */
export const chosenAccountsMax = 100_000;
export const chosenAccountsBytesMax = 8 * MiB;

/** A cycle record of a large network in an archiver's database. */
export const shutdownRecordBytesMax = 64 * MiB;
