/**
 * Encodings of curve points that libsodium's `crypto_sign_verify_detached` rejects and OpenSSL accepts: points of small
 * order, which make signatures valid without a private key, and non-canonical encodings. Source: libsodium,
 * `crypto_sign/ed25519/ref10/open.c`, and the functions `ge25519_has_small_order` and `ge25519_is_canonical` in
 * `crypto_core/ed25519/ref10/ed25519_ref10.c`.
 *
 * An encoding is the y coordinate, 255 bits in little-endian order, with the sign of x in the highest bit.
 */

const ENCODING_BYTES = 32;
const SIGN_BIT = 0x80;

/** The lowest byte of p = 2^255 − 19. All higher bits are ones, as in every y from p up to 2^255 − 1. */
const LOWEST_BYTE_OF_P = 0xed;

/** The y coordinates of the eight points of small order, and each such y + p that fits into 255 bits. */
const smallOrderYs: ReadonlySet<string> = new Set([
  // y = 0: order 4.
  "0000000000000000000000000000000000000000000000000000000000000000",
  // y = 1: the identity.
  "0100000000000000000000000000000000000000000000000000000000000000",
  // Order 8, two of each.
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  // y = p − 1: order 2.
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  // y = p, which is 0, and y = p + 1, which is 1.
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** @param encoding 32 bytes */
export function hasSmallOrder(encoding: Buffer): boolean {
  return smallOrderYs.has(withoutSign(encoding).toString("hex"));
}

/**
 * Returns whether y is below p.
 *
 * @param encoding 32 bytes
 */
export function isCanonical(encoding: Buffer): boolean {
  const y = withoutSign(encoding);
  if ((y[0] as number) < LOWEST_BYTE_OF_P || y[ENCODING_BYTES - 1] !== 0x7f) return true;
  return y.subarray(1, -1).some((byte) => byte !== 0xff);
}

function withoutSign(encoding: Buffer): Buffer {
  const y = Buffer.from(encoding);
  y[ENCODING_BYTES - 1] = (encoding[ENCODING_BYTES - 1] as number) & ~SIGN_BIT;
  return y;
}
