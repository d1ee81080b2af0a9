/** The layout of the memory, and the positions of input and output. All addresses are in bytes. */

/** Bytes after a region that may be read and written, because blocks of 16 bytes are moved whole. */
const SLACK: i32 = 64;

/** Received bytes. A record that does not fit together with the chunk in which it continues is rejected. */
export const INPUT: i32 = 0x10000;
export const INPUT_BYTES: i32 = 0x50000;

/** Runs of copies. A copy has at most two bytes for each byte of its record, plus this overhead for its keys. */
const OVERHEAD: i32 = 64;
const RECORD_BYTES_MIN: i32 = 110;
const RECORDS_MAX: i32 = INPUT_BYTES / RECORD_BYTES_MIN + 1;
export const OUTPUT: i32 = INPUT + INPUT_BYTES + SLACK;
const OUTPUT_BYTES: i32 = 2 * INPUT_BYTES + OVERHEAD * RECORDS_MAX;

/** One row per run; see records.ts. */
export const ROWS: i32 = OUTPUT + OUTPUT_BYTES + SLACK;
export const ROW_BYTES: i32 = 24;

/** The entries of the objects that are currently open; see objects.ts. */
export const ENTRIES: i32 = ROWS + ROW_BYTES * RECORDS_MAX;
export const ENTRY_BYTES: i32 = 16;
export const ENTRIES_END: i32 = ENTRIES + 4096 * ENTRY_BYTES;

/** Scratch memory for sorting the entries of one object. */
export const SCRATCH: i32 = ENTRIES_END;
export const MEMORY_END: i32 = SCRATCH + OUTPUT_BYTES + SLACK;

/** The address of the next input byte, and that of the next output byte. */
export let at: i32 = 0;
export let out: i32 = 0;

export function readFrom(address: i32): void {
  at = address;
}

export function writeFrom(address: i32): void {
  out = address;
}

export function put(byte: i32): void {
  store<u8>(out, byte);
  out += 1;
}

/** Writes a quotation mark of the data, which is escaped in the copy. */
export function putEscapedQuote(): void {
  store<u16>(out, 0x225c);
  out += 2;
}

/** Copies in blocks, which overwrites up to 15 bytes after the end. */
export function copyBlocks(to: i32, from: i32, bytes: i32): void {
  for (let done = 0; done < bytes; done += 16) v128.store(to + done, v128.load(from + done));
}

/** Skips white space, which canonical text does not have. */
export function skipSpace(): void {
  while (isSpace(load<u8>(at))) at += 1;
}

function isSpace(byte: i32): bool {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
