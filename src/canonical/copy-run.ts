/** Consecutive copies of accounts: the unit that goes from the bytes of a response to a partition's list. */

import { COPY_PREFIX } from "../protocol/account-copy.ts";
import { ADDRESS_DIGITS } from "../protocol/address.ts";
import type { Partition } from "../protocol/brands.ts";

export interface CopyRun {
  readonly partition: Partition;
  /** How many copies; their accounts are in ascending order, without duplicates. */
  readonly count: number;
  /** The copies with commas between them. The memory is valid until the next run is requested. */
  readonly bytes: Buffer;
  /** Where the first copy ends in the bytes, and where the last one begins. */
  readonly firstEnd: number;
  readonly lastStart: number;
}

export function singleRun(partition: Partition, bytes: Buffer): CopyRun {
  return { partition, count: 1, bytes, firstEnd: bytes.length, lastStart: 0 };
}

/** Returns the account ID of the copy that begins at an offset. */
export function accountIdAt(bytes: Buffer, start: number): string {
  const idAt = start + COPY_PREFIX.length;
  return bytes.toString("latin1", idAt, idAt + ADDRESS_DIGITS);
}
