/**
 * The state of a whole network, made from a seed: any account of any partition can be made at any time
 * from its number alone, so a cluster of gigabytes keeps none of them in memory.
 */

import { accountCopyText, type WrappedData } from "../../protocol/account-copy.ts";
import { addressPrefix } from "../../protocol/address.ts";
import { RunningHash } from "../../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../../protocol/partition-hash.ts";
import { allPartitions, GLOBAL_PARTITION, partitionRange, type Shard } from "../../protocol/shard.ts";
import type { Selection } from "../validator/state/account-source.ts";
import { makeData, tampered } from "./account-data.ts";
import { Random } from "./random.ts";

export interface StateSettings {
  readonly seed: string;
  /** Accounts in the partitions 0 to N − 1. */
  readonly accounts: number;
  readonly globalAccounts: number;
  /** Bytes of an account's data, about. */
  readonly accountBytes: number;
  readonly emptyPartitions: readonly number[];
  /** The moment of the snapshot, in milliseconds: no account has changed later. */
  readonly timestampMs: number;
  /** What an account is; by default as various as in real networks. */
  readonly makeAccount?: AccountMaker;
}

/** Makes an account of an address that was last changed at a time, in milliseconds. */
export type AccountMaker = (
  random: Random,
  accountId: string,
  timestamp: number,
  isGlobal: boolean,
) => WrappedData;

/** Accounts were last changed within this time before the snapshot. */
const ageMaxMs = 30 * 24 * 3600 * 1000;

/** The words of an address behind its prefix. */
const tailWords = 7;

interface Slots {
  readonly count: number;
  /** The partition's lowest prefix, and how many prefixes it has. */
  readonly low: number;
  readonly size: number;
  readonly seed: number;
}

export class SeededState {
  readonly #settings: StateSettings;
  readonly #slots: ReadonlyMap<number, Slots>;

  constructor(settings: StateSettings, shard: Shard) {
    this.#settings = settings;
    this.#slots = makeSlots(settings, shard);
  }

  countOf(partition: number): number {
    return this.#slotsOf(partition).count;
  }

  /** How many accounts of a partition the selection takes, from which on. */
  selected(partition: number, selection: Selection): { from: number; to: number } {
    if (selection.isGlobal !== undefined && selection.isGlobal !== (partition === GLOBAL_PARTITION)) {
      return { from: 0, to: 0 };
    }
    const from = this.#firstIndex(partition, (address) => address >= selection.accountStart);
    const to = this.#firstIndex(partition, (address) => address > selection.accountEnd);
    return { from, to };
  }

  /** Accounts of a partition in ascending order, the `from`th to before the `to`th. */
  *accounts(partition: number, from = 0, to = this.countOf(partition)): Generator<WrappedData> {
    for (let index = from; index < to; index++) yield this.account(partition, index);
  }

  account(partition: number, index: number): WrappedData {
    const slots = this.#slotsOf(partition);
    const random = new Random(slots.seed, partition, index);
    const accountId = addressAt(slots, index, random);
    const { makeAccount, timestampMs } = this.#settings;
    if (makeAccount !== undefined) {
      return makeAccount(random, accountId, timestampMs - 1, partition === GLOBAL_PARTITION);
    }
    const stateId = random.hex(8);
    const timestamp = timestampMs - 1 - random.below(ageMaxMs);
    const data = makeData(random, { stateId, timestamp, bytes: this.#settings.accountBytes });
    const account = { accountId, stateId, data, timestamp };
    if (partition === GLOBAL_PARTITION) return { ...account, syncData: { isGlobal: true } };
    return index % 3 === 0 ? { ...account, syncData: { isGlobal: false } } : account;
  }

  /** A partition's hash, and what it would be with the lie that {@link lied} tells of it. */
  hashOf(partition: number, isLied = false): string {
    const accounts = this.accounts(partition);
    return hashOfAccounts(isLied ? lied(accounts) : accounts);
  }

  #slotsOf(partition: number): Slots {
    const slots = this.#slots.get(partition);
    if (slots === undefined) throw new RangeError(`there is no partition ${partition}`);
    return slots;
  }

  /** By bisection: addresses ascend with their index. */
  #firstIndex(partition: number, isAtOrBehind: (address: string) => boolean): number {
    const slots = this.#slotsOf(partition);
    let low = 0;
    let high = slots.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const address = addressAt(slots, middle, new Random(slots.seed, partition, middle));
      if (isAtOrBehind(address)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** A partition's accounts with one of them changed: always the same, so that liars can agree. */
export function* lied(accounts: Iterable<WrappedData>): Generator<WrappedData> {
  let isFirst = true;
  for (const account of accounts) {
    yield isFirst ? tampered(account) : account;
    isFirst = false;
  }
}

function hashOfAccounts(accounts: Iterable<WrappedData>): string {
  const hash = new RunningHash();
  let text = EMPTY_PREIMAGE.slice(0, 1);
  let separator = "";
  for (const account of accounts) {
    text += separator + accountCopyText(account);
    separator = ",";
    if (text.length < 64 * 1024) continue;
    hash.update(Buffer.from(text));
    text = "";
  }
  return hash.update(Buffer.from(text + EMPTY_PREIMAGE.slice(1))).digest();
}

/** Each account has a piece of its partition's prefixes for itself, and stands somewhere in it. */
function addressAt(slots: Slots, index: number, random: Random): string {
  const start = Math.floor((index * slots.size) / slots.count);
  const end = Math.floor(((index + 1) * slots.size) / slots.count);
  const prefix = slots.low + start + random.below(end - start);
  return prefix.toString(16).padStart(8, "0") + random.hex(tailWords);
}

/** Accounts in equal shares over the partitions that are not to be empty. */
function makeSlots(settings: StateSettings, shard: Shard): Map<number, Slots> {
  const empty = new Set(settings.emptyPartitions);
  const filled = allPartitions(shard).filter(
    (partition) => partition !== GLOBAL_PARTITION && !empty.has(partition),
  );
  const seed = Random.named(settings.seed, "state").uint32();
  const slots = new Map<number, Slots>();
  slots.set(GLOBAL_PARTITION, { count: settings.globalAccounts, low: 0, size: 2 ** 32, seed });
  let rank = 0;
  for (let partition = 0; partition < shard.numNodes; partition++) {
    const range = partitionRange(shard, partition);
    const low = addressPrefix(range.low);
    const size = addressPrefix(range.high) - low + 1;
    let count = 0;
    if (!empty.has(partition)) {
      count = share(settings.accounts, filled.length, rank);
      rank++;
    }
    slots.set(partition, { count, low, size, seed });
  }
  return slots;
}

function share(total: number, shares: number, rank: number): number {
  return Math.floor((total * (rank + 1)) / shares) - Math.floor((total * rank) / shares);
}
