/**
 * A random sample of the numbers from 0 to `total − 1`: one number of each of as many equal parts as the sample has
 * numbers. Its size is exact, and its numbers are computed when they are needed, so that a large one needs no memory.
 */

import { Random } from "./random.ts";

export class StratifiedSample {
  readonly total: number;
  readonly size: number;
  readonly #seed: number;

  /** @param size at most `total` */
  constructor(total: number, size: number, seed: number) {
    if (size > total) throw new RangeError(`a sample of ${size} of ${total} numbers`);
    this.total = total;
    this.size = size;
    this.#seed = seed;
  }

  has(number: number): boolean {
    return this.size > 0 && this.#pickOf(this.#partOf(number)) === number;
  }

  /** Returns how many numbers of the sample are lower. */
  countBelow(number: number): number {
    if (this.size === 0 || number >= this.total) return this.size;
    const part = this.#partOf(number);
    return this.#pickOf(part) < number ? part + 1 : part;
  }

  #partOf(number: number): number {
    let part = Math.floor((number * this.size) / this.total);
    while (this.#start(part) > number) part--;
    while (this.#start(part + 1) <= number) part++;
    return part;
  }

  #pickOf(part: number): number {
    const start = this.#start(part);
    return start + new Random(this.#seed, part, this.size).below(this.#start(part + 1) - start);
  }

  #start(part: number): number {
    return Math.floor((part * this.total) / this.size);
  }
}
