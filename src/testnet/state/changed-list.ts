/**
 * Which accounts of an ordered list are changed, deleted and created, and the place of each in the changed list. It knows
 * the accounts as numbers in ascending order of address, and computes everything from a seed.
 */

import { Random } from "./random.ts";
import { StratifiedSample } from "./stratified-sample.ts";

/** The shares of changes in a state, each from 0 to 1 and relative to the number of accounts before. */
export interface ChangeShares {
  readonly seed: string;
  /** Accounts with new data and a new timestamp. Of an account that is also deleted, the deletion counts. */
  readonly changed: number;
  readonly deleted: number;
  readonly created: number;
}

/** An account of the changed list. */
export interface ChangedItem {
  readonly fate: "kept" | "changed" | "created";
  /** Its place in the list before; that of the account that it follows, where it is created. */
  readonly origin: number;
}

export class ChangedList {
  readonly #changed: StratifiedSample;
  readonly #deleted: StratifiedSample;
  /** Places after which an account is created. */
  readonly #created: StratifiedSample;

  /**
   * @param total the number of accounts before
   * @param name distinguishes the lists of a seed
   */
  constructor(total: number, shares: ChangeShares, name: string) {
    const sample = (fate: "changed" | "deleted" | "created") => {
      const seed = Random.named(shares.seed, name, fate).uint32();
      return new StratifiedSample(total, Math.round(shares[fate] * total), seed);
    };
    this.#changed = sample("changed");
    this.#deleted = sample("deleted");
    this.#created = sample("created");
  }

  /** The number of accounts after the changes. */
  get length(): number {
    return this.placeOf(this.#deleted.total);
  }

  /** Returns the place, after the changes, of the first account that comes from `origin` or a later one. */
  placeOf(origin: number): number {
    return origin - this.#deleted.countBelow(origin) + this.#created.countBelow(origin);
  }

  at(place: number): ChangedItem {
    // The last origin whose place is not after `place`: a deleted one shares its place with the next one.
    let low = Math.max(0, place - this.#created.size);
    let high = Math.min(this.#deleted.total - 1, place + this.#deleted.size);
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.placeOf(middle) <= place) low = middle;
      else high = middle - 1;
    }
    const isOrigin = place === this.placeOf(low) && !this.#deleted.has(low);
    if (!isOrigin) return { fate: "created", origin: low };
    return { fate: this.#changed.has(low) ? "changed" : "kept", origin: low };
  }
}
