/**
 * Makes the transactions of a live cluster, instead of its users and of consensus. The seed and the start of the cluster
 * determine every transaction and its time.
 */

import { asCycle } from "../../protocol/brands.ts";
import { GLOBAL_PARTITION, ringPartitions } from "../../protocol/shard.ts";
import type { ClusterNetwork } from "../cluster/cluster-network.ts";
import { logEntriesAtOnceMax } from "../limits.ts";
import { Random } from "../state/random.ts";
import type { LogEntry } from "../validator/state/log-entry.ts";
import { balanceOf } from "../validator/state/transaction.ts";
import type { LiveSettings, PaceSettings } from "./live-settings.ts";

/** One transaction in this number creates an account, or sets the fee in a global account. */
const newAccountEvery = 25;
const feeChangeEvery = 40;

/** The attempts to find a sender with a balance. */
const sendersTriedMax = 20;

export class Sequencer {
  readonly #pace: PaceSettings;
  readonly #random: Random;
  readonly #startMs: number;
  readonly #addresses: string[] = [];
  readonly #globals: string[];
  readonly #balances = new Map<string, bigint>();
  #count = 0;
  #cycle = 0;

  /** @param startSeconds the start of cycle 0 */
  constructor({ seed, pace }: LiveSettings, { state, shard }: ClusterNetwork, startSeconds: number) {
    this.#pace = pace;
    this.#random = Random.named(seed, "transactions");
    this.#startMs = startSeconds * 1000;
    for (const partition of ringPartitions(shard)) {
      for (const account of state.accounts(partition)) {
        this.#addresses.push(account.accountId);
        this.#balances.set(account.accountId, balanceOf(account));
      }
    }
    this.#globals = Array.from(state.accounts(GLOBAL_PARTITION), ({ accountId }) => accountId);
  }

  /** The sum of all balances, which transactions do not change. */
  get totalBalance(): bigint {
    let total = 0n;
    for (const balance of this.#balances.values()) total += balance;
    return total;
  }

  /** Returns the transactions and ends of cycles since the last call and before a moment, in order; at most
   *  {@link logEntriesAtOnceMax} of them. */
  until(nowMs: number): LogEntry[] {
    const entries: LogEntry[] = [];
    while (entries.length < logEntriesAtOnceMax) {
      const timestamp = this.#startMs + Math.floor((this.#count * 1000) / this.#pace.txRate);
      const end = this.#startMs + (this.#cycle + 1) * this.#pace.cycleDuration * 1000;
      if (Math.min(timestamp, end) > nowMs) return entries;
      entries.push(timestamp < end ? this.#transaction(timestamp) : this.#cycleEnd(end));
    }
    return entries;
  }

  #cycleEnd(timestamp: number): LogEntry {
    const cycle = asCycle(this.#cycle++);
    return {
      type: "cycle-end",
      cycle,
      timestamp,
      snapshot: this.#cycle % this.#pace.snapshotEvery === 0,
    };
  }

  #transaction(timestamp: number): LogEntry {
    const number = this.#count++;
    const [account] = this.#globals;
    if (account !== undefined && number % feeChangeEvery === feeChangeEvery - 1) {
      const chosen = this.#globals[this.#random.below(this.#globals.length)] ?? account;
      return { type: "set-fee", timestamp, account: chosen, fee: (this.#random.uint32() + 1).toString(16) };
    }
    const from = this.#sender();
    const to = number % newAccountEvery === 0 ? this.#newAddress() : this.#other(from);
    const has = this.#balances.get(from) ?? 0n;
    const amount = (has * BigInt(1 + this.#random.below(500))) / 1000n;
    this.#balances.set(from, has - amount);
    this.#balances.set(to, (this.#balances.get(to) ?? 0n) + amount);
    return { type: "transfer", timestamp, from, to, amount: amount.toString(16) };
  }

  #sender(): string {
    let sender = this.#anyAddress();
    for (let tried = 0; tried < sendersTriedMax && this.#balances.get(sender) === 0n; tried++) {
      sender = this.#anyAddress();
    }
    return sender;
  }

  #other(than: string): string {
    const other = this.#anyAddress();
    return other === than ? this.#newAddress() : other;
  }

  #anyAddress(): string {
    const address = this.#addresses[this.#random.below(this.#addresses.length)];
    return address ?? this.#newAddress();
  }

  #newAddress(): string {
    const address = this.#random.hex(8);
    this.#addresses.push(address);
    return address;
  }
}
