/** Bounds on the hash database. */

import { KiB, MiB } from "./units.ts";

/** How long a write waits for another process that writes to the same hash database: a commit takes milliseconds, a
 *  checkpoint of the log a second or two. */
export const databaseBusyMs = 5_000;

/** The size to which the write-ahead log is truncated after a checkpoint. */
export const databaseLogBytesMax = 64 * MiB;

/** Rows whose keys are read at once; their contents are read one by one. */
export const databasePageRows = 64;

/** Bounds on reads of a hash database, which another program may have written: the short texts of a row; offences and
 *  senders; and the bytes and values of all evidence together, of which an offence has some hundred values. */
export const databaseWordBytesMax = 1 * KiB;
export const databaseDetailBytesMax = 4 * KiB;
export const databaseOffencesMax = 100_000;
export const databaseSendersMax = 200_000;
export const databaseEvidenceBytesMax = 32 * MiB;
export const databaseEvidenceValuesMax = 1_000_000;

/** How many of a node's newest offences of one kind the hash database keeps: each may hold two messages. */
export const recordedOffencesMax = 50;

/** How long offences are kept: a node without offences for a year has none. */
export const offenceAgeMaxMs = 365 * 24 * 60 * 60 * 1_000;
