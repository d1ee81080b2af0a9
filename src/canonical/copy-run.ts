/** Copies of accounts that follow each other: how they go from the bytes of an answer to a partition's list. */

import { COPY_PREFIX } from "../protocol/account-copy.ts";
import { ADDRESS_DIGITS } from "../protocol/address.ts";

export interface CopyRun {
  readonly partition: number;
  /** How many copies; their accounts are in ascending order, each there once. */
  readonly count: number;
  /** The copies with commas between them. The memory is good until the next run is asked for. */
  readonly bytes: Buffer;
  /** Where in the bytes the first copy ends, and where the last one begins. */
  readonly firstEnd: number;
  readonly lastStart: number;
}

export function singleRun(partition: number, bytes: Buffer): CopyRun {
  return { partition, count: 1, bytes, firstEnd: bytes.length, lastStart: 0 };
}

/** The account ID of the copy that begins at an offset. */
export function accountIdAt(bytes: Buffer, start: number): string {
  const idAt = start + COPY_PREFIX.length;
  return bytes.toString("latin1", idAt, idAt + ADDRESS_DIGITS);
}
