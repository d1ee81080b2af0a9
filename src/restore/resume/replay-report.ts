/** What a replay of receipts found. */

import { resumeShownMax } from "../../limits/resume.ts";
import type { ChainEnd } from "./record-chain.ts";

/** Some of what was found, and how many there are. */
export interface Listed<T> {
  readonly count: number;
  /** The first of them. */
  readonly shown: readonly T[];
}

/** A receipt, for messages. */
export interface NamedReceipt {
  readonly receiptId: string;
  readonly cycle: number;
  /** That of the transaction, in milliseconds. */
  readonly timestamp: number;
}

export interface DoubtfulReceipt extends NamedReceipt {
  readonly reason: string;
}

/** A change of an account by a transaction. */
export interface NamedChange extends NamedReceipt {
  readonly accountId: string;
}

/** A change that does not follow what is stored: a receipt between them is missing, or the two contradict each other. */
export interface Gap extends NamedChange {
  /** The account's hash before the transaction, which the receipt states. */
  readonly hashBefore: string;
  readonly storedHash: string;
}

export interface ReplayReport {
  readonly receipts: {
    readonly read: number;
    readonly applied: number;
    /** Those that changed nothing: the state has what they state, or something later. */
    readonly skipped: number;
    /** Those after the last cycle that was asked for. */
    readonly later: number;
  };
  /** Of those that were applied; null if none was. */
  readonly first: NamedReceipt | null;
  readonly last: NamedReceipt | null;
  /** Receipts that nothing proves. */
  readonly unverified: Listed<DoubtfulReceipt>;
  /** Receipts that contradict themselves. */
  readonly contradicting: Listed<DoubtfulReceipt>;
  readonly gaps: Listed<Gap>;
  /** Changes to another state of the same time. */
  readonly conflicts: Listed<Gap>;
  readonly accounts: AccountCounts;
  /** The newest of the cycle records that name the validators. Nothing proves it: other archivers have the same marker. */
  readonly newestRecord: ChainEnd;
}

export interface AccountCounts {
  /** Accounts that the snapshot does not have: nothing shows whether a receipt before the first one is missing. */
  readonly created: Listed<NamedChange>;
  /** Changes whose receipt does not state the hash before. */
  readonly unlinked: Listed<NamedChange>;
  /** Accounts without a time, which no validator would read; they were not written. */
  readonly timeless: Listed<NamedChange>;
}

/** Counts, and keeps the first few. */
export class Listing<T> implements Listed<T> {
  count = 0;
  readonly shown: T[] = [];

  add(item: T): void {
    this.count++;
    if (this.shown.length < resumeShownMax) this.shown.push(item);
  }

  toJSON(): Listed<T> {
    return { count: this.count, shown: this.shown };
  }
}
