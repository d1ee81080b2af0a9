/**
 * The fast path from records to the copies of their accounts: one pass over the received bytes, which writes the copies
 * that the network hashes. It either copies a record exactly as the slow path does (src/canonical/slow-path.ts), or
 * rejects it and leaves it to the slow path.
 *
 * Consecutive copies of one partition in the order of their accounts form a run, whose text can be appended to the
 * partition's list unchanged. Each run is a row of six numbers: its partition, the number of copies, the start of the
 * run, the end of the first copy, the start of the last copy, and the end of the run.
 */

import { copyRecord, ID_OFFSET, isGlobal } from "./account";
import {
  at,
  INPUT,
  INPUT_BYTES,
  OUTPUT,
  out,
  ROW_BYTES,
  ROWS,
  readFrom,
  skipSpace,
  writeFrom,
} from "./memory";
import { hexValue } from "./typed-values";

export const input: i32 = INPUT;
export const inputBytes: i32 = INPUT_BYTES;
export const rows: i32 = ROWS;

/** Why the pass ended. */
const AFTER_RECORD: i32 = 0;
const REJECTED: i32 = 1;
const INCOMPLETE: i32 = 2;
export let ending: i32 = AFTER_RECORD;
export let runs: i32 = 0;

const GLOBAL_PARTITION: i32 = -1;

let partitionSize: u64 = 1;
let lastPartition: i32 = 0;

/** The longest unit that is read at once: a word, an escape, or a UTF-8 sequence. */
const WORD_BYTES_MAX: i32 = 6;

/** White space that is skipped between two records. The framer counts longer white space. */
const SPACE_MAX: i32 = 16;

/** Sets the geometry of the network (PROTOCOL.md, Partitions). */
export function setShard(size: f64, numNodes: i32): void {
  partitionSize = <u64>size;
  lastPartition = numNodes - 1;
}

/**
 * Copies records from the one that begins at `from` up to the first that is rejected or continues after `end`. Returns
 * the address where it stopped: after a record, or at the start of one that was not copied.
 */
export function copyRecords(from: i32, end: i32): i32 {
  // Zero bytes after the end stop every loop, so no loop compares addresses.
  v128.store(end, i8x16.splat(0));
  v128.store(end + 16, i8x16.splat(0));
  runs = 0;
  writeFrom(OUTPUT);
  readFrom(from);
  let row = ROWS - ROW_BYTES;
  let lastCopy = 0;
  for (;;) {
    const record = at;
    const copy = out + 1;
    store<u8>(out, 0x2c);
    writeFrom(copy);
    if (!copyRecord()) {
      ending = at + WORD_BYTES_MAX > end ? INCOMPLETE : REJECTED;
      return record;
    }
    const partition = isGlobal ? GLOBAL_PARTITION : partitionOf(copy + ID_OFFSET);
    const continuesRun =
      runs > 0 && load<i32>(row) === partition && isBefore(lastCopy + ID_OFFSET, copy + ID_OFFSET);
    if (continuesRun) store<i32>(row, load<i32>(row, 4) + 1, 4);
    else {
      runs += 1;
      row += ROW_BYTES;
      store<i32>(row, partition);
      store<i32>(row, 1, 4);
      store<i32>(row, copy, 8);
      store<i32>(row, out, 12);
    }
    store<i32>(row, copy, 16);
    store<i32>(row, out, 20);
    lastCopy = copy;

    const after = at;
    if (load<u8>(at) === 0x2c) {
      readFrom(at + 1);
      skipSpace();
      if (load<u8>(at) === 0x7b && at - after <= SPACE_MAX) continue;
    }
    ending = AFTER_RECORD;
    return after;
  }
}

function partitionOf(id: i32): i32 {
  let prefix: u64 = 0;
  for (let i = 0; i < 8; i++) prefix = (prefix << 4) | hexValue(load<u8>(id + i));
  return <i32>min(prefix / partitionSize, <u64>lastPartition);
}

/** Returns whether the first account ID is before the second. */
function isBefore(first: i32, second: i32): bool {
  for (let i = 0; i < 64; i += 16) {
    const same = i8x16.bitmask(i8x16.eq(v128.load(first + i), v128.load(second + i)));
    if (same === 0xffff) continue;
    const difference = i + ctz(~same);
    return load<u8>(first + difference) < load<u8>(second + difference);
  }
  return false;
}
