/** Counts the accounts of one response that no partition takes. Their number is bounded, because each costs time. */

import { ResponseError } from "../errors/response-error.ts";
import { duplicateAccountsMax, foreignAccountsMax } from "../limits/response.ts";
import type { Partition } from "../protocol/brands.ts";

export class UnwantedAccounts {
  readonly #superfluous = new Set<Partition>();
  #superfluousAccounts = 0;
  #foreign = 0;
  #duplicates = 0;

  /** Accounts of partitions that the node does not store. */
  get foreign(): number {
    return this.#foreign;
  }

  /** Identical repetitions of an account. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** Partitions of which more accounts followed after they were committed. */
  get superfluous(): Partition[] {
    return [...this.#superfluous];
  }

  /**
   * Counts an account of a partition that the node does not store.
   *
   * @throws ResponseError `too-large`
   */
  countForeign(): void {
    this.#foreign++;
    requireAtMost(this.#foreign, foreignAccountsMax, "accounts of partitions that the node does not store");
  }

  /**
   * Counts an account of a partition that is already committed.
   *
   * @throws ResponseError `too-large`
   */
  countSuperfluous(partition: Partition): void {
    this.#superfluous.add(partition);
    this.#superfluousAccounts++;
    requireAtMost(this.#superfluousAccounts, foreignAccountsMax, "accounts beyond what partitions hold");
  }

  /**
   * Counts an account that was sent before.
   *
   * @throws ResponseError `too-large`
   */
  countDuplicate(): void {
    this.#duplicates++;
    requireAtMost(this.#duplicates, duplicateAccountsMax, "accounts were sent twice");
  }

  /** Counts duplicates that the sort of a partition dropped. */
  addSorted(duplicates: number): void {
    this.#duplicates += duplicates;
  }
}

function requireAtMost(count: number, countMax: number, what: string): void {
  if (count > countMax) throw new ResponseError("too-large", `more than ${countMax} ${what}`);
}
