/**
 * Addresses (PROTOCOL.md, Terms): 64 lower-case hex digits. All have the same length, so their numeric order is that of
 * their text; they are compared as text and never converted.
 */

export const ADDRESS_DIGITS = 64;

const hex64 = /^[0-9a-f]{64}$/;

/** Returns whether `text` is 64 lower-case hex digits: an address, an account ID, a node ID or a hash. */
export function isHex64(text: unknown): text is string {
  return typeof text === "string" && hex64.test(text);
}

/** Returns the first 8 hex digits as a number, 0 to 2^32 − 1. The partition of an address depends on them alone. */
export function addressPrefix(address: string): number {
  return Number.parseInt(address.slice(0, 8), 16);
}

/** Returns the next address; the highest one has none, and is returned itself. */
export function addressAfter(address: string): string {
  const next = (BigInt(`0x${address}`) + 1n).toString(16);
  return next.length > ADDRESS_DIGITS ? address : next.padStart(ADDRESS_DIGITS, "0");
}

/** Returns the lowest address with the given prefix (0 to 2^32 − 1). */
export function lowestAddress(prefix: number): string {
  return prefix.toString(16).padStart(8, "0").padEnd(ADDRESS_DIGITS, "0");
}

/** Returns the highest address with the given prefix (0 to 2^32 − 1). */
export function highestAddress(prefix: number): string {
  return prefix.toString(16).padStart(8, "0").padEnd(ADDRESS_DIGITS, "f");
}

/** All addresses, inclusive. */
export const addressSpace = { low: lowestAddress(0), high: highestAddress(2 ** 32 - 1) };
