/** The accounts that one node of a cluster holds: those of its stored partitions, and the global ones. */

import type { WrappedData } from "../../protocol/account-copy.ts";
import type { Partition } from "../../protocol/brands.ts";
import { GLOBAL_PARTITION } from "../../protocol/shard.ts";
import type { Selection } from "../../wire/snapshot-request.ts";
import { type AccountSource, mergedByAddress } from "../validator/state/account-source.ts";
import { tampered } from "./account-data.ts";
import type { GeneratedState } from "./generated-state.ts";

export class NodeAccounts implements AccountSource {
  readonly #state: GeneratedState;
  readonly #partitions: readonly Partition[];
  readonly #lies: ReadonlySet<Partition>;

  /**
   * @param partitions from 0 to N − 1, ascending
   * @param lies partitions of which it holds a false state
   */
  constructor(state: GeneratedState, partitions: readonly Partition[], lies: ReadonlySet<Partition>) {
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
      count += this.#state.count(partition, selection);
    }
    return count;
  }

  *#local(selection: Selection): Generator<WrappedData> {
    for (const partition of this.#partitions) yield* this.#partition(partition, selection);
  }

  *#partition(partition: Partition, selection: Selection): Generator<WrappedData> {
    const isFalse = this.#lies.has(partition);
    for (const place of this.#state.places(partition, selection)) {
      const account = this.#state.account(partition, place);
      yield isFalse && place === 0 ? tampered(account) : account;
    }
  }
}
