/**
 * The state of a whole network whose accounts are made when they are read: any part of it, by partition, address or time
 * of change, without keeping an account in memory.
 */

import { accountCopyText, type WrappedData } from "../../protocol/account-copy.ts";
import type { HashHex, Partition } from "../../protocol/brands.ts";
import { RunningHash } from "../../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../../protocol/partition-hash.ts";
import { GLOBAL_PARTITION } from "../../protocol/shard.ts";
import type { Selection } from "../../wire/snapshot-request.ts";
import { ChangeIndex, type PlaceRange } from "../validator/state/change-index.ts";
import { tampered } from "./account-data.ts";

export abstract class GeneratedState {
  readonly #changes = new Map<Partition, ChangeIndex>();

  /** Returns the number of accounts of a partition from 0 to N − 1, or of −1. */
  abstract countOf(partition: Partition): number;

  /** Makes the account at a place: addresses ascend with it. */
  abstract account(partition: Partition, place: number): WrappedData;

  /** Returns the address of an account, without its data. */
  abstract addressOf(partition: Partition, place: number): string;

  /** Whether it is derived from an earlier state. */
  abstract readonly hasEarlier: boolean;

  /** Returns an account as it was in the earlier state; `undefined` where it was not in it. */
  abstract earlier(account: WrappedData): WrappedData | undefined;

  /** Returns the places of a partition that the addresses of a selection and its kind select, of any time. */
  selected(partition: Partition, selection: Selection): PlaceRange {
    if (selection.isGlobal !== undefined && selection.isGlobal !== (partition === GLOBAL_PARTITION)) {
      return { from: 0, to: 0 };
    }
    const from = this.firstPlace(partition, (address) => address >= selection.accountStart);
    const to = this.firstPlace(partition, (address) => address > selection.accountEnd);
    return { from, to };
  }

  /** Yields the places of a partition that a selection has, ascending. */
  *places(partition: Partition, selection: Selection): Generator<number, void, void> {
    const range = this.selected(partition, selection);
    if (selection.changedSince === undefined) {
      for (let place = range.from; place < range.to; place++) yield place;
    } else {
      yield* this.#changesOf(partition).places(selection.changedSince, range);
    }
  }

  /** Returns the number of places that {@link places} yields. */
  count(partition: Partition, selection: Selection): number {
    const range = this.selected(partition, selection);
    if (selection.changedSince === undefined) return range.to - range.from;
    return this.#changesOf(partition).countOf(selection.changedSince, range);
  }

  /** Yields the accounts of a partition in ascending order, from place `from` up to but excluding `to`. */
  *accounts(partition: Partition, from = 0, to = this.countOf(partition)): Generator<WrappedData> {
    for (let place = from; place < to; place++) yield this.account(partition, place);
  }

  /** Returns a partition's hash; with `isFalse`, that of the state of a node that lies about it. */
  hashOf(partition: Partition, isFalse = false): HashHex {
    const hash = new RunningHash();
    const timestamps: number[] = [];
    let text = EMPTY_PREIMAGE.slice(0, 1);
    for (const account of this.accounts(partition)) {
      const isFirst = timestamps.push(account.timestamp) === 1;
      text += (isFirst ? "" : ",") + accountCopyText(isFirst && isFalse ? tampered(account) : account);
      if (text.length < 64 * 1024) continue;
      hash.update(Buffer.from(text));
      text = "";
    }
    // A delta must not need another pass over the whole partition.
    this.#changes.set(partition, ChangeIndex.of(timestamps));
    return hash.update(Buffer.from(text + EMPTY_PREIMAGE.slice(1))).digest();
  }

  /** Finds a place by bisection; that after the last account where no address is reached. */
  protected firstPlace(partition: Partition, isReached: (address: string) => boolean): number {
    let low = 0;
    let high = this.countOf(partition);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isReached(this.addressOf(partition, middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #changesOf(partition: Partition): ChangeIndex {
    const known = this.#changes.get(partition);
    if (known !== undefined) return known;
    const timestamps = Array.from(this.accounts(partition), ({ timestamp }) => timestamp);
    const index = ChangeIndex.of(timestamps);
    this.#changes.set(partition, index);
    return index;
  }
}
