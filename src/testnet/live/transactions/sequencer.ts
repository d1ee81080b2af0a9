/**
 * Makes the transactions of a live cluster, instead of its users and of consensus. The seed and the start of the cluster
 * determine every transaction and its time.
 */

import { asCycle, type Cycle } from "../../../protocol/brands.ts";
import { logEntriesAtOnceMax } from "../../limits.ts";
import { Random } from "../../state/random.ts";
import type { CycleEnd, LogEntry } from "../../validator/state/log-entry.ts";
import type { Transaction } from "../../validator/state/transaction.ts";
import type { LiveSettings, PaceSettings } from "../live-settings.ts";
import type { Ledger } from "./ledger.ts";

/** One transaction in this number creates an account, or sets the fee in a global account. */
const newAccountEvery = 25;
const feeChangeEvery = 40;

/** The attempts to find a sender with a balance. */
const sendersTriedMax = 20;

/** The cycles of a network: the first one, and when cycle 0 began or would have begun, in seconds. */
export interface CycleStart {
  readonly firstCycle: Cycle;
  readonly startSeconds: number;
}

/** Called at the end of a cycle, after its transactions. Returns what the log states before those of the next one. */
export type BeginCycle = (end: CycleEnd) => readonly LogEntry[];

export class Sequencer {
  readonly #pace: PaceSettings;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #startMs: number;
  /** When transactions were taken first. */
  #takenFromMs: number | undefined;
  #count = 0;
  #cycle: Cycle;

  constructor({ seed, pace }: LiveSettings, ledger: Ledger, { firstCycle, startSeconds }: CycleStart) {
    this.#pace = pace;
    this.#ledger = ledger;
    this.#random = Random.named(seed, "transactions", ...(firstCycle === 0 ? [] : [firstCycle]));
    this.#startMs = startSeconds * 1000;
    this.#cycle = firstCycle;
  }

  /** Takes transactions from a moment on, which is not before the end of the newest cycle. */
  takeFrom(moment: number): void {
    this.#takenFromMs = moment;
  }

  /** Returns the transactions and ends of cycles since the last call and before a moment, in order; at most
   *  {@link logEntriesAtOnceMax} of them, and what `begin` adds. */
  until(nowMs: number, begin: BeginCycle = () => []): LogEntry[] {
    const entries: LogEntry[] = [];
    while (entries.length < logEntriesAtOnceMax) {
      const timestamp = this.#nextTransactionMs();
      const end = this.#startMs + (this.#cycle + 1) * this.#pace.cycleDuration * 1000;
      if (Math.min(timestamp, end) > nowMs) return entries;
      if (timestamp < end) entries.push(this.#transaction(timestamp));
      else {
        const cycleEnd = this.#cycleEnd(end);
        entries.push(cycleEnd, ...begin(cycleEnd));
      }
    }
    return entries;
  }

  #nextTransactionMs(): number {
    if (this.#takenFromMs === undefined) return Number.POSITIVE_INFINITY;
    return this.#takenFromMs + Math.floor((this.#count * 1000) / this.#pace.txRate);
  }

  /** No snapshot is taken of a network that takes no transactions yet: its validators are still fetching the state. */
  #cycleEnd(timestamp: number): CycleEnd {
    const cycle = this.#cycle;
    this.#cycle = asCycle(cycle + 1);
    const isMarked = this.#cycle % this.#pace.snapshotEvery === 0;
    return { type: "cycle-end", cycle, timestamp, snapshot: isMarked && this.#takenFromMs !== undefined };
  }

  #transaction(timestamp: number): Transaction {
    const transaction = this.#makeTransaction(timestamp);
    this.#ledger.apply(transaction);
    return transaction;
  }

  #makeTransaction(timestamp: number): Transaction {
    const number = this.#count++;
    const { globals } = this.#ledger;
    const [account] = globals;
    if (account !== undefined && number % feeChangeEvery === feeChangeEvery - 1) {
      const chosen = globals[this.#random.below(globals.length)] ?? account;
      return { type: "set-fee", timestamp, account: chosen, fee: (this.#random.uint32() + 1).toString(16) };
    }
    const from = this.#sender();
    const to = number % newAccountEvery === 0 ? this.#newAddress() : this.#other(from);
    const amount = (this.#ledger.balanceOf(from) * BigInt(1 + this.#random.below(500))) / 1000n;
    return { type: "transfer", timestamp, from, to, amount: amount.toString(16) };
  }

  #sender(): string {
    let sender = this.#anyAddress();
    for (let tried = 0; tried < sendersTriedMax && this.#ledger.balanceOf(sender) === 0n; tried++) {
      sender = this.#anyAddress();
    }
    return sender;
  }

  #other(than: string): string {
    const other = this.#anyAddress();
    return other === than ? this.#newAddress() : other;
  }

  #anyAddress(): string {
    const { addresses } = this.#ledger;
    return addresses[this.#random.below(addresses.length)] ?? this.#newAddress();
  }

  #newAddress(): string {
    return this.#random.hex(8);
  }
}
