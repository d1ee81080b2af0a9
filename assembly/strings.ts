/** Copies the strings of a record, from after the opening quotation mark to after the closing one. */

import { at, out, readFrom, writeFrom } from "./memory";

const QUOTE: i32 = 0x22;
const BACKSLASH: i32 = 0x5c;

/** A bit mask of the bytes of a block that need handling: quotation marks, backslashes, control and non-ASCII bytes. */
function stopsIn(block: v128): i32 {
  const marks = v128.or(
    i8x16.eq(block, i8x16.splat(QUOTE as i8)),
    i8x16.eq(block, i8x16.splat(BACKSLASH as i8)),
  );
  return i8x16.bitmask(v128.or(marks, i8x16.lt_s(block, i8x16.splat(0x20))));
}

/**
 * Copies a string whose escapes are those of canonical text, and rejects any other. Inside data that is copied as text,
 * escapes are escaped once more.
 */
export function copyString(isInText: bool): bool {
  let from = at;
  let to = out;
  for (;;) {
    const block = v128.load(from);
    v128.store(to, block);
    const stops = stopsIn(block);
    if (stops === 0) {
      from += 16;
      to += 16;
      continue;
    }
    const plain = ctz(stops);
    from += plain;
    to += plain;
    const byte: i32 = load<u8>(from);
    if (byte === QUOTE) break;
    const length = byte === BACKSLASH ? escapeLength(from) : byte >= 0x80 ? sequenceLength(from) : 0;
    if (length === 0) {
      readFrom(from);
      return false;
    }
    if (byte === BACKSLASH && isInText) {
      store<u8>(to++, BACKSLASH);
      store<u8>(to++, BACKSLASH);
      const escaped: i32 = load<u8>(from + 1);
      if (escaped === QUOTE || escaped === BACKSLASH) store<u8>(to++, BACKSLASH);
      store<u64>(to, load<u64>(from + 1));
      to += length - 1;
    } else {
      store<u64>(to, load<u64>(from));
      to += length;
    }
    from += length;
  }
  readFrom(from + 1);
  writeFrom(to);
  return true;
}

/** Copies a key of plain ASCII without escapes, which sorts by its bytes, and rejects any other. */
export function copyKey(): bool {
  let from = at;
  let to = out;
  for (;;) {
    const block = v128.load(from);
    v128.store(to, block);
    const stops = stopsIn(block);
    const plain = stops === 0 ? 16 : ctz(stops);
    from += plain;
    to += plain;
    if (stops !== 0) break;
  }
  const isWhole = load<u8>(from) === QUOTE;
  readFrom(isWhole ? from + 1 : from);
  writeFrom(to);
  return isWhole;
}

/** The length of an escape that canonical text also has; else 0. */
function escapeLength(address: i32): i32 {
  switch (<i32>load<u8>(address + 1)) {
    case QUOTE:
    case BACKSLASH:
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return 2;
    case 0x75: // u, for control characters without a shorter escape
      return isControlEscape(address + 2) ? 6 : 0;
    default:
      return 0;
  }
}

function isControlEscape(address: i32): bool {
  const high: i32 = load<u8>(address + 2);
  const low: i32 = load<u8>(address + 3);
  if (load<u16>(address) !== 0x3030 || (high !== 0x30 && high !== 0x31)) return false;
  const isDigit = low >= 0x30 && low <= 0x39;
  if (!isDigit && !(low >= 0x61 && low <= 0x66)) return false;
  if (high === 0x31) return true;
  // \b, \t, \n, \f, \r
  return low !== 0x38 && low !== 0x39 && low !== 0x61 && low !== 0x63 && low !== 0x64;
}

/** The length of a well-formed UTF-8 sequence of more than one byte; else 0. A decoder replaces any other sequence. */
function sequenceLength(address: i32): i32 {
  const first: i32 = load<u8>(address);
  const second: i32 = load<u8>(address + 1);
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return isContinuation(second) ? 2 : 0;
  if (!isContinuation(load<u8>(address + 2))) return 0;
  if (first < 0xf0) {
    const low = first === 0xe0 ? 0xa0 : 0x80;
    const high = first === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high ? 3 : 0;
  }
  const low = first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high && isContinuation(load<u8>(address + 3)) ? 4 : 0;
}

function isContinuation(byte: i32): bool {
  return (byte & 0xc0) === 0x80;
}
