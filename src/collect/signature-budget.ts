/**
 * How many signatures that do not hold are borne of one address: whoever sends them costs us far more than
 * he pays. A bucket of tokens for each address, of which each such signature takes one.
 *
 * It goes by address and not by sender: anybody can claim to be any sender, and must not be able to have that
 * sender's own messages refused.
 */

import { badSignatureAddressesMax, badSignaturesBurst, badSignaturesPerSecond } from "../model/limits.ts";

interface Bucket {
  tokens: number;
  filledMs: number;
}

export class SignatureBudget {
  readonly #nowMs: () => number;
  /** Those that have sent one, the latest last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Whether a signature from there may still be looked at. */
  isLeft(address: string): boolean {
    const bucket = this.#buckets.get(network(address));
    if (bucket === undefined) return true;
    this.#fill(bucket);
    return bucket.tokens >= 1;
  }

  /** A signature from there did not hold. */
  spend(address: string): void {
    const key = network(address);
    const bucket = this.#buckets.get(key) ?? { tokens: badSignaturesBurst, filledMs: this.#nowMs() };
    this.#fill(bucket);
    bucket.tokens = Math.max(0, bucket.tokens - 1);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= badSignatureAddressesMax) return;
    const [longestAgo] = this.#buckets.keys();
    if (longestAgo !== undefined) this.#buckets.delete(longestAgo);
  }

  #fill(bucket: Bucket): void {
    const nowMs = this.#nowMs();
    const filled = bucket.tokens + ((nowMs - bucket.filledMs) / 1000) * badSignaturesPerSecond;
    bucket.tokens = Math.min(badSignaturesBurst, filled);
    bucket.filledMs = nowMs;
  }
}

/** An IPv6 host has 2^64 addresses to choose from: what counts is its network. */
function network(address: string): string {
  if (!address.includes(":") || address.startsWith("::ffff:")) return address;
  const [beforeZeros = ""] = address.split("::");
  const groups = beforeZeros.split(":").filter((group) => group !== "");
  return [...groups, "0", "0", "0", "0"].slice(0, 4).join(":");
}
