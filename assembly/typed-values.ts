/** Checks that the value of a typed value has its canonical form. */

/** Returns whether a value is lower-case hex without leading zeros, within the bound on big integers. */
export function isCanonicalHex(from: i32, end: i32): bool {
  const digits = end - from;
  if (digits < 1 || digits > 4096) return false;
  if (digits > 1 && load<u8>(from) === 0x30) return false;
  for (let address = from; address < end; address++) {
    if (hexValue(load<u8>(address)) < 0) return false;
  }
  return true;
}

/** Returns whether a value is base64 with padding, whose unused bits are zero. */
export function isCanonicalBase64(from: i32, end: i32): bool {
  if (((end - from) & 3) !== 0) return false;
  if (from === end) return true;
  let last = end;
  let leftOver = 0;
  if (load<u8>(end - 1) === 0x3d) {
    last = end - 1;
    leftOver = 0x03;
    if (load<u8>(end - 2) === 0x3d) {
      last = end - 2;
      leftOver = 0x0f;
    }
  }
  let block = from;
  for (; block + 16 <= last; block += 16) {
    if (!isBase64Block(v128.load(block))) return false;
  }
  for (; block < last; block++) {
    if (base64Value(load<u8>(block)) < 0) return false;
  }
  return (base64Value(load<u8>(last - 1)) & leftOver) === 0;
}

/** Returns whether 64 bytes are lower-case hex digits. */
export function isHex64(from: i32): bool {
  return (
    isHexBlock(v128.load(from)) &&
    isHexBlock(v128.load(from + 16)) &&
    isHexBlock(v128.load(from + 32)) &&
    isHexBlock(v128.load(from + 48))
  );
}

function isHexBlock(block: v128): bool {
  return i8x16.all_true(v128.or(within(block, 0x30, 0x39), within(block, 0x61, 0x66)));
}

function isBase64Block(block: v128): bool {
  const letters = v128.or(within(block, 0x41, 0x5a), within(block, 0x61, 0x7a));
  const signs = v128.or(i8x16.eq(block, i8x16.splat(0x2b)), within(block, 0x2f, 0x39));
  return i8x16.all_true(v128.or(letters, signs));
}

function within(block: v128, low: i32, high: i32): v128 {
  return v128.and(i8x16.ge_u(block, i8x16.splat(low as i8)), i8x16.le_u(block, i8x16.splat(high as i8)));
}

/** The value of a lower-case hex digit; else −1. */
export function hexValue(byte: i32): i32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}

function base64Value(byte: i32): i32 {
  if (byte >= 0x41 && byte <= 0x5a) return byte - 0x41;
  if (byte >= 0x61 && byte <= 0x7a) return byte - 0x47;
  if (byte >= 0x30 && byte <= 0x39) return byte + 4;
  if (byte === 0x2b) return 62;
  return byte === 0x2f ? 63 : -1;
}
