/**
 * Copies the values of an account's data as canonical text (PROTOCOL.md, Hashing and signing), escaped once more, because
 * the copy contains the data as a string. A value is rejected unless it is certainly canonical after sorting its keys.
 */

import { at, out, put, putEscapedQuote, readFrom, skipSpace, writeFrom } from "./memory";
import { copyObject } from "./objects";
import { copyString } from "./strings";

/** Levels of nested objects and lists. Deeper data is left to the parser, which has its own bound. */
const DEPTH_MAX: i32 = 32;

/** JavaScript writes every integer with at most this many digits unchanged. */
const DIGITS_MAX: i32 = 15;

/** Copies the value that begins here. Returns false if it is rejected, or continues after the end of the input. */
export function copyValue(depth: i32): bool {
  switch (load<u8>(at)) {
    case 0x22: // "
      readFrom(at + 1);
      putEscapedQuote();
      if (!copyString(true)) return false;
      putEscapedQuote();
      return true;
    case 0x7b: // {
      return depth < DEPTH_MAX && copyObject(depth + 1);
    case 0x5b: // [
      return depth < DEPTH_MAX && copyList(depth + 1);
    case 0x74: // t
      return copyWord(0x65757274, 4);
    case 0x6e: // n
      return copyWord(0x6c6c756e, 4);
    case 0x66: // f
      return load<u8>(at + 4) === 0x65 && copyWord(0x736c6166, 5);
    default:
      return copyInteger();
  }
}

/** @param letters the first four letters of the word */
function copyWord(letters: u32, length: i32): bool {
  if (load<u32>(at) !== letters) return false;
  store<u64>(out, load<u64>(at));
  readFrom(at + length);
  writeFrom(out + length);
  return true;
}

/** Copies an integer in the form that JavaScript writes. Only a part of any other number is copied; the caller then
 *  rejects the rest, which is neither a comma nor an end. */
export function copyInteger(): bool {
  let from = at;
  let byte: i32 = load<u8>(from);
  const isNegative = byte === 0x2d;
  if (isNegative) {
    put(byte);
    byte = load<u8>(++from);
  }
  const first = from;
  while (byte >= 0x30 && byte <= 0x39) {
    put(byte);
    byte = load<u8>(++from);
  }
  const digits = from - first;
  const beginsWithZero = load<u8>(first) === 0x30;
  readFrom(from);
  return digits > 0 && digits <= DIGITS_MAX && !(beginsWithZero && (isNegative || digits > 1));
}

function copyList(depth: i32): bool {
  put(0x5b);
  readFrom(at + 1);
  skipSpace();
  if (load<u8>(at) === 0x5d) {
    readFrom(at + 1);
    put(0x5d);
    return true;
  }
  for (;;) {
    if (!copyValue(depth)) return false;
    skipSpace();
    const byte: i32 = load<u8>(at);
    if (byte !== 0x2c && byte !== 0x5d) return false;
    readFrom(at + 1);
    put(byte);
    if (byte === 0x5d) break;
    skipSpace();
  }
  return true;
}
