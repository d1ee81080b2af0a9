/**
 * Reproducible randomness from a seed: sfc32 (Chris Doty-Humphrey, PractRand) with 128 bits of state. It is fast enough
 * to generate an account again at each access.
 */

import { createHash } from "node:crypto";

/** The rounds after which every bit of the seed affects every bit of the state. */
const mixingRounds = 12;

const hexWordsMax = 8;
const scratch = Buffer.alloc(hexWordsMax * 4);

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(a: number, b: number, c: number) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    for (let round = 0; round < mixingRounds; round++) this.uint32();
  }

  /** Returns an independent stream for a name. */
  static named(...names: (string | number)[]): Random {
    const digest = createHash("sha256").update(names.join("/")).digest();
    return new Random(digest.readInt32LE(0), digest.readInt32LE(4), digest.readInt32LE(8));
  }

  /** Returns a whole number from 0 to 2^32 − 1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Returns a whole number from 0 to `limit − 1`. */
  below(limit: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * limit);
  }

  /** Returns lower-case hex digits, eight for each of at most {@link hexWordsMax} words. */
  hex(words: number): string {
    for (let word = 0; word < words; word++) scratch.writeUInt32BE(this.uint32(), word * 4);
    return scratch.toString("hex", 0, words * 4);
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0];
  }

  /** Returns a shuffled copy of the list (Fisher–Yates). */
  shuffled<T>(list: readonly T[]): T[] {
    const order = [...list];
    for (let last = order.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const moved = order[last] as T;
      order[last] = order[other] as T;
      order[other] = moved;
    }
    return order;
  }
}
