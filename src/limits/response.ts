/** Bounds on one partial snapshot: its records, and its unexpected accounts. */

import { KiB, MiB } from "./units.ts";

/** One account record on the wire. The largest real accounts hold contract code of some 100 KiB. For each concurrent
 *  response, copying a record of this size temporarily takes ten times as much memory. */
export const recordBytesMax = 8 * MiB;

/** The beginning of a record that the fast path holds until the rest arrives. Most records are smaller; larger ones are
 *  left to the slow path. */
export const heldRecordBytesMax = 256 * KiB;

/** Consecutive bytes of white space outside records. A pretty-printed response has some dozens. */
export const whiteSpaceRunMax = 64 * KiB;

/** Accounts of a response in partitions that its node does not store. A node may still hold accounts of an earlier
 *  membership; more are another node's state, sent to waste time. */
export const foreignAccountsMax = 10_000;

/** Repetitions of an account in one response that are identical to the first, and are dropped. */
export const duplicateAccountsMax = 1_000;
