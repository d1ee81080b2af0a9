/**
 * A later state of the accounts of another one: a share of them is changed, deleted or created, and the number of
 * partitions may differ. Its accounts are made when they are read, as those of the earlier state are.
 */

import type { WrappedData } from "../../protocol/account-copy.ts";
import { asPartition, type Partition } from "../../protocol/brands.ts";
import {
  GLOBAL_PARTITION,
  partitionOf,
  partitionRange,
  ringPartitions,
  type Shard,
} from "../../protocol/shard.ts";
import { EVERYTHING } from "../../wire/snapshot-request.ts";
import { makeData } from "./account-data.ts";
import { ChangedList, type ChangeShares } from "./changed-list.ts";
import { GeneratedState } from "./generated-state.ts";
import { Random } from "./random.ts";
import type { AccountMaker } from "./seeded-state.ts";

/** A transaction belongs to the cycle that contains its timestamp plus this time (PROTOCOL.md, Partial snapshots). */
const settleMs = 8000;

/** A state with its moment, in milliseconds, and its geometry. */
export interface StateAt {
  readonly state: GeneratedState;
  readonly shard: Shard;
  readonly timestampMs: number;
}

export interface ChangedStateSettings {
  readonly before: StateAt;
  readonly shard: Shard;
  readonly timestampMs: number;
  readonly shares: ChangeShares;
  /** The approximate bytes of the data of changed and created accounts. */
  readonly accountBytes: number;
  /** Makes changed and created accounts; by default as diverse as those of real networks. */
  readonly makeAccount?: AccountMaker | undefined;
}

/** Where an account of this state comes from. */
interface Origin {
  readonly fate: "kept" | "changed" | "created";
  /** Of the earlier state. */
  readonly partition: Partition;
  readonly place: number;
  /** The number of the account in its list of the earlier state. */
  readonly number: number;
}

export class ChangedState extends GeneratedState {
  override readonly hasEarlier = true;
  readonly #settings: ChangedStateSettings;
  /** The number of accounts in the earlier state's partitions before each partition. */
  readonly #olderFirst: readonly number[];
  /** The accounts of all partitions together, in ascending order, and the global ones. */
  readonly #locals: ChangedList;
  readonly #globals: ChangedList;
  /** The place in the changed list of each partition's first account, and its length. */
  readonly #first: readonly number[];
  readonly #seed: number;

  constructor(settings: ChangedStateSettings) {
    super();
    const { before, shard, shares } = settings;
    this.#settings = settings;
    this.#seed = Random.named(shares.seed, "changes").uint32();
    const olderFirst = [0];
    for (const partition of ringPartitions(before.shard)) {
      olderFirst.push((olderFirst.at(-1) ?? 0) + before.state.countOf(partition));
    }
    this.#olderFirst = olderFirst;
    this.#locals = new ChangedList(olderFirst.at(-1) ?? 0, shares, "accounts");
    this.#globals = new ChangedList(before.state.countOf(GLOBAL_PARTITION), shares, "global accounts");
    const first = ringPartitions(shard).map((partition) =>
      this.#locals.placeOf(this.#numberOf(partitionRange(shard, partition).low)),
    );
    this.#first = [...first, this.#locals.length];
  }

  countOf(partition: Partition): number {
    if (partition === GLOBAL_PARTITION) return this.#globals.length;
    return this.#firstOf(partition + 1) - this.#firstOf(partition);
  }

  account(partition: Partition, place: number): WrappedData {
    const origin = this.#originOf(partition, place);
    const { state, timestampMs } = this.#settings.before;
    const account = state.account(origin.partition, origin.place);
    if (origin.fate === "kept") return account;
    const isCreated = origin.fate === "created";
    const random = new Random(this.#seed, origin.number, 2 * origin.partition + Number(isCreated));
    const changedMs = this.#timeOfChange(random, timestampMs);
    const isGlobal = partition === GLOBAL_PARTITION;
    return isCreated
      ? this.#make(random, addressAfter(account.accountId), changedMs, isGlobal)
      : this.#make(random, account.accountId, Math.max(changedMs, account.timestamp + 1), isGlobal);
  }

  addressOf(partition: Partition, place: number): string {
    const origin = this.#originOf(partition, place);
    const address = this.#settings.before.state.addressOf(origin.partition, origin.place);
    return origin.fate === "created" ? addressAfter(address) : address;
  }

  earlier({ accountId, syncData }: WrappedData): WrappedData | undefined {
    const { state, shard } = this.#settings.before;
    const partition = syncData?.isGlobal === true ? GLOBAL_PARTITION : partitionOf(shard, accountId);
    const one = { ...EVERYTHING, accountStart: accountId, accountEnd: accountId };
    const [place] = state.places(partition, one);
    return place === undefined ? undefined : state.account(partition, place);
  }

  /** @param position a partition from 0 to N − 1; N for the end of the last one */
  #firstOf(position: number): number {
    const first = this.#first[position];
    if (first === undefined) throw new RangeError(`unknown partition ${position}`);
    return first;
  }

  /** Returns the number of accounts of the earlier state below an address, without global ones. */
  #numberOf(address: string): number {
    const { state, shard } = this.#settings.before;
    const partition = partitionOf(shard, address);
    const { from } = state.selected(partition, { ...EVERYTHING, accountStart: address });
    return (this.#olderFirst[partition] ?? 0) + from;
  }

  #originOf(partition: Partition, place: number): Origin {
    if (partition === GLOBAL_PARTITION) {
      const { fate, origin } = this.#globals.at(place);
      return { fate, partition, place: origin, number: origin };
    }
    const { fate, origin } = this.#locals.at(this.#firstOf(partition) + place);
    const olderPartition = asPartition(lastAtMost(this.#olderFirst, origin));
    return {
      fate,
      partition: olderPartition,
      place: origin - (this.#olderFirst[olderPartition] ?? 0),
      number: origin,
    };
  }

  /** Returns a moment between the two snapshots: often the earliest possible one, that of the earlier snapshot, or one
   *  of the time between these. */
  #timeOfChange(random: Random, beforeMs: number): number {
    const kind = random.below(8);
    if (kind === 0) return beforeMs - settleMs;
    if (kind === 1) return beforeMs;
    if (kind === 2) return beforeMs - 1 - random.below(settleMs);
    return beforeMs + random.below(Math.max(1, this.#settings.timestampMs - settleMs - beforeMs));
  }

  #make(random: Random, accountId: string, timestamp: number, isGlobal: boolean): WrappedData {
    const { makeAccount, accountBytes } = this.#settings;
    if (makeAccount !== undefined) return makeAccount(random, accountId, timestamp, isGlobal);
    const stateId = random.hex(8);
    const data = makeData(random, { stateId, timestamp, bytes: accountBytes });
    const account = { accountId, stateId, data, timestamp };
    return isGlobal ? { ...account, syncData: { isGlobal } } : account;
  }
}

/**
 * Returns an address between an account of the earlier state and the next one: with the same prefix, which no other
 * account has, and so in the same partition whatever the geometry.
 */
function addressAfter(address: string): string {
  const tail = address.slice(8);
  return address.slice(0, 8) + (BigInt(`0x${tail}`) + 1n).toString(16).padStart(tail.length, "0");
}

/** Returns the index of the last element of an ascending list that is not greater than a number. */
function lastAtMost(list: readonly number[], number: number): number {
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((list[middle] ?? Infinity) <= number) low = middle;
    else high = middle - 1;
  }
  return low;
}
