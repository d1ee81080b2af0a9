/** Bounds on one partial snapshot: its records, and the accounts that it should not have. */

import { KiB, MiB } from "./units.ts";

/** One account record on the wire. The largest real accounts hold contract code of some 100 KiB. The copy of a record
 *  of this size takes ten times as much memory for a moment, for each response that is received at the same time. */
export const recordBytesMax = 8 * MiB;

/** The beginning of a record that is held until the rest arrives. Most records are smaller; larger ones are parsed. */
export const heldRecordBytesMax = 256 * KiB;

/** White space in a row outside of records. A pretty-printed response has some dozens. */
export const whiteSpaceRunMax = 64 * KiB;

/** Accounts of a response in partitions that its node does not store. A node may hold left-overs of an earlier
 *  membership; more than these are another node's state, sent to cost time. */
export const foreignAccountsMax = 10_000;

/** Repetitions of an account in one response that are identical to the first, and are dropped. */
export const duplicateAccountsMax = 1_000;
