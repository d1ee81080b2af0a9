/**
 * The Curve25519 key of an Ed25519 public key, which archivers encrypt with (libsodium's
 * `crypto_sign_ed25519_pk_to_curve25519`): u = (1 + y) / (1 − y) modulo 2^255 − 19.
 */

const P = 2n ** 255n - 19n;

/**
 * @param publicKey 64 hex digits
 * @returns 64 lower-case hex digits
 */
export function curve25519Key(publicKey: string): string {
  const y = BigInt(`0x${reversed(publicKey)}`) & (2n ** 255n - 1n);
  const u = ((1n + y) * inverse((((1n - y) % P) + P) % P)) % P;
  return reversed(u.toString(16).padStart(64, "0"));
}

/** Returns x^(P − 2), which is 1 / x by Fermat's little theorem. */
function inverse(x: bigint): bigint {
  let [result, base] = [1n, x];
  for (let exponent = P - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}

/** Keys are little-endian. */
function reversed(hex: string): string {
  return Buffer.from(hex, "hex").reverse().toString("hex");
}
