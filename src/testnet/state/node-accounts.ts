/** The accounts that one node of a cluster holds: those of its stored partitions, and the global ones. */

import type { WrappedData } from "../../protocol/account-copy.ts";
import { GLOBAL_PARTITION } from "../../protocol/shard.ts";
import { type AccountSource, mergedByAddress, type Selection } from "../validator/state/account-source.ts";
import { falseAccounts, type SeededState } from "./seeded-state.ts";

export class NodeAccounts implements AccountSource {
  readonly #state: SeededState;
  readonly #partitions: readonly number[];
  readonly #lies: ReadonlySet<number>;

  /**
   * @param partitions from 0 to N − 1, ascending
   * @param lies partitions of which it holds a false state
   */
  constructor(state: SeededState, partitions: readonly number[], lies: ReadonlySet<number>) {
    this.#state = state;
    this.#partitions = partitions;
    this.#lies = lies;
  }

  select(selection: Selection): Iterable<WrappedData> {
    return mergedByAddress(this.#local(selection), this.#partition(GLOBAL_PARTITION, selection));
  }

  count(selection: Selection): number {
    let count = 0;
    for (const partition of [...this.#partitions, GLOBAL_PARTITION]) {
      const { from, to } = this.#state.selected(partition, selection);
      count += to - from;
    }
    return count;
  }

  *#local(selection: Selection): Generator<WrappedData> {
    for (const partition of this.#partitions) yield* this.#partition(partition, selection);
  }

  #partition(partition: number, selection: Selection): Iterable<WrappedData> {
    const { from, to } = this.#state.selected(partition, selection);
    const accounts = this.#state.accounts(partition, from, to);
    return from === 0 && this.#lies.has(partition) ? falseAccounts(accounts) : accounts;
  }
}
