/**
 * Copies the objects inside an account's data: entries are copied in the order of the input, and sorted by key if
 * necessary. Until its object ends, each entry has four numbers: the key's address in the input, its length, and the
 * start and the end of the entry in the output.
 */

import {
  at,
  copyBlocks,
  ENTRIES,
  ENTRIES_END,
  ENTRY_BYTES,
  out,
  put,
  putEscapedQuote,
  readFrom,
  SCRATCH,
  skipSpace,
  writeFrom,
} from "./memory";
import { copyKey } from "./strings";
import { isCanonicalBase64, isCanonicalHex } from "./typed-values";
import { copyValue } from "./values";

/** The most entries of one object that are sorted here; larger objects are left to the parser, which sorts faster. */
const UNSORTED_MAX: i32 = 64;

/** The kinds of keys. */
const ORDINARY: i32 = 0;
const FORBIDDEN: i32 = 1;
const SIG: i32 = 2;
const TYPE: i32 = 3;
const DATA_TYPE: i32 = 4;
const VALUE: i32 = 5;

/** The kinds of typed values. */
const UNTYPED: i32 = 0;
const INTEGER: i32 = 1;
const BYTES: i32 = 2;

/** The end of the entries of the objects that the walk is inside of. */
let entriesEnd: i32 = ENTRIES;

export function clearEntries(): void {
  entriesEnd = ENTRIES;
}

export function copyObject(depth: i32): bool {
  put(0x7b);
  readFrom(at + 1);
  skipSpace();
  if (load<u8>(at) === 0x7d) {
    readFrom(at + 1);
    put(0x7d);
    return true;
  }
  const entries = entriesEnd;
  let isSorted = true;
  let typed = UNTYPED;
  let valueAt = 0;
  let valueEnd = 0;
  for (;;) {
    const entry = entriesEnd;
    if (load<u8>(at) !== 0x22 || entry >= ENTRIES_END) return false;
    entriesEnd = entry + ENTRY_BYTES;
    const keyAt = at + 1;
    store<i32>(entry, keyAt);
    store<i32>(entry, out, 8);
    readFrom(keyAt);
    putEscapedQuote();
    if (!copyKey()) return false;
    const keyBytes = at - 1 - keyAt;
    store<i32>(entry, keyBytes, 4);
    if (entry > entries && compareKeys(entry - ENTRY_BYTES, entry) >= 0) isSorted = false;
    store<u32>(out, 0x3a225c); // \":
    writeFrom(out + 3);
    skipSpace();
    if (load<u8>(at) !== 0x3a) return false;
    readFrom(at + 1);
    skipSpace();

    const kind = kindOfKey(keyAt, keyBytes);
    const from = at;
    const isText = load<u8>(from) === 0x22;
    // Values of `sig` are not revived, and forbidden keys are dropped. Both are rare, and left to the parser.
    if (kind === FORBIDDEN || (kind === SIG && load<u8>(from) === 0x7b)) return false;
    if (!copyValue(depth)) return false;
    store<i32>(entry, out, 12);
    if (kind >= TYPE && isText) {
      if (kind === VALUE) {
        valueAt = from + 1;
        valueEnd = at - 1;
      } else if (kind === DATA_TYPE) typed = typeOf(from + 1, at - 1);
      else if (isBufferWord(from + 1, at - 1)) return false;
    }

    skipSpace();
    const byte: i32 = load<u8>(at);
    if (byte === 0x7d) break;
    if (byte !== 0x2c) return false;
    readFrom(at + 1);
    put(0x2c);
    skipSpace();
  }
  readFrom(at + 1);
  if (typed !== UNTYPED) {
    if (entriesEnd - entries !== 2 * ENTRY_BYTES || valueAt === 0) return false;
    const isCanonical =
      typed === INTEGER ? isCanonicalHex(valueAt, valueEnd) : isCanonicalBase64(valueAt, valueEnd);
    if (!isCanonical) return false;
    // Only in bytes, `value` comes before `dataType`.
    const isInPlace = isSorted === (typed === INTEGER);
    if (!isInPlace) {
      swapEntries(entries, entries + ENTRY_BYTES);
      writeInOrder(entries);
    }
  } else if (!isSorted && !(sortEntries(entries) && writeInOrder(entries))) return false;
  entriesEnd = entries;
  put(0x7d);
  return true;
}

function kindOfKey(key: i32, bytes: i32): i32 {
  switch (bytes) {
    case 3:
      return (load<u32>(key) & 0xffffff) === 0x676973 ? SIG : ORDINARY;
    case 4:
      return load<u32>(key) === 0x65707974 ? TYPE : ORDINARY;
    case 5:
      return load<u32>(key) === 0x756c6176 && load<u8>(key + 4) === 0x65 ? VALUE : ORDINARY;
    case 8:
      return load<u64>(key) === 0x6570795461746164 ? DATA_TYPE : ORDINARY;
    case 9:
      // __proto__, prototype
      return (load<u64>(key) === 0x5f6f746f72705f5f && load<u8>(key + 8) === 0x5f) ||
        (load<u64>(key) === 0x7079746f746f7270 && load<u8>(key + 8) === 0x65)
        ? FORBIDDEN
        : ORDINARY;
    case 11:
      // constructor
      return load<u64>(key) === 0x63757274736e6f63 && (load<u32>(key + 8) & 0xffffff) === 0x726f74
        ? FORBIDDEN
        : ORDINARY;
    default:
      return ORDINARY;
  }
}

function typeOf(from: i32, end: i32): i32 {
  if (end - from === 2) {
    const word = load<u16>(from);
    if (word === 0x6962) return INTEGER; // bi
    return word === 0x6262 ? BYTES : UNTYPED; // bb
  }
  return end - from === 4 && load<u32>(from) === 0x62613875 ? BYTES : UNTYPED; // u8ab
}

function isBufferWord(from: i32, end: i32): bool {
  return end - from === 6 && load<u32>(from) === 0x66667542 && load<u16>(from + 4) === 0x7265;
}

/** Compares the keys of two entries: negative, positive or 0 if the first is before, after, or equal to the second. */
function compareKeys(first: i32, second: i32): i32 {
  const a = load<i32>(first);
  const b = load<i32>(second);
  const aBytes = load<i32>(first, 4);
  const bBytes = load<i32>(second, 4);
  const common = min(aBytes, bBytes);
  for (let i = 0; i < common; i++) {
    const difference = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (difference !== 0) return difference;
  }
  return aBytes - bBytes;
}

/** Sorts the entries of the innermost object. Returns false for duplicate keys or too many entries. */
function sortEntries(entries: i32): bool {
  if (entriesEnd - entries > UNSORTED_MAX * ENTRY_BYTES) return false;
  for (let next = entries + ENTRY_BYTES; next < entriesEnd; next += ENTRY_BYTES) {
    for (let entry = next; entry > entries; entry -= ENTRY_BYTES) {
      const order = compareKeys(entry - ENTRY_BYTES, entry);
      if (order === 0) return false;
      if (order < 0) break;
      swapEntries(entry - ENTRY_BYTES, entry);
    }
  }
  return true;
}

function swapEntries(first: i32, second: i32): void {
  const held = v128.load(first);
  v128.store(first, v128.load(second));
  v128.store(second, held);
}

/** Rewrites the entries of the innermost object in their current order. */
function writeInOrder(entries: i32): bool {
  let begin = load<i32>(entries, 8);
  let to = SCRATCH;
  for (let entry = entries; entry < entriesEnd; entry += ENTRY_BYTES) {
    const from = load<i32>(entry, 8);
    const bytes = load<i32>(entry, 12) - from;
    begin = min(begin, from);
    if (entry > entries) store<u8>(to++, 0x2c);
    copyBlocks(to, from, bytes);
    to += bytes;
  }
  copyBlocks(begin, SCRATCH, to - SCRATCH);
  return true;
}
