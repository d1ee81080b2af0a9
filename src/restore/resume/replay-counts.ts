/** Counts what a replay finds, and decides which changes are written. */

import type { DoubtfulReceipt, Gap, NamedChange, NamedReceipt, ReplayReport } from "./replay-report.ts";
import { Listing } from "./replay-report.ts";
import type { JudgedChange } from "./resumed-accounts.ts";

export class ReplayCounts {
  #read = 0;
  #applied = 0;
  #skipped = 0;
  #later = 0;
  #first: NamedReceipt | null = null;
  #last: NamedReceipt | null = null;
  readonly #unverified = new Listing<DoubtfulReceipt>();
  readonly #contradicting = new Listing<DoubtfulReceipt>();
  readonly #gaps = new Listing<Gap>();
  readonly #conflicts = new Listing<Gap>();
  readonly #created = new Listing<NamedChange>();
  readonly #unlinked = new Listing<NamedChange>();
  readonly #timeless = new Listing<NamedChange>();

  read(): void {
    this.#read++;
  }

  /** A receipt after the last cycle. */
  later(): void {
    this.#later++;
  }

  unverified(receipt: DoubtfulReceipt): void {
    this.#unverified.add(receipt);
  }

  contradicting(receipt: DoubtfulReceipt): void {
    this.#contradicting.add(receipt);
  }

  /**
   * Returns whether a change is written. After a gap it is, so that the next gap is another one; the database is then
   * discarded.
   */
  change(receipt: NamedReceipt, change: JudgedChange): boolean {
    const { accountId, effect, hashBefore, storedHash, timestamp } = change;
    const named = { ...receipt, accountId };
    switch (effect) {
      case "older":
      case "same":
        return false;
      case "next":
        if (hashBefore === undefined) this.#unlinked.add(named);
        return true;
      case "created":
        if (timestamp === 0) this.#timeless.add(named);
        else this.#created.add(named);
        return timestamp > 0;
      case "missing":
        this.#gaps.add({ ...named, hashBefore: hashBefore ?? "", storedHash: storedHash ?? "" });
        return true;
      case "conflict":
        this.#conflicts.add({ ...named, hashBefore: hashBefore ?? "", storedHash: storedHash ?? "" });
        return false;
    }
  }

  /** @param isApplied whether it changed an account */
  done(receipt: NamedReceipt, isApplied: boolean): void {
    if (!isApplied) {
      this.#skipped++;
      return;
    }
    this.#applied++;
    this.#first ??= receipt;
    this.#last = receipt;
  }

  report(): Omit<ReplayReport, "newestRecord"> {
    return {
      receipts: {
        read: this.#read,
        applied: this.#applied,
        skipped: this.#skipped,
        later: this.#later,
      },
      first: this.#first,
      last: this.#last,
      unverified: this.#unverified.toJSON(),
      contradicting: this.#contradicting.toJSON(),
      gaps: this.#gaps.toJSON(),
      conflicts: this.#conflicts.toJSON(),
      accounts: {
        created: this.#created.toJSON(),
        unlinked: this.#unlinked.toJSON(),
        timeless: this.#timeless.toJSON(),
      },
    };
  }
}
