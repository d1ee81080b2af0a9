/**
 * The state of a whole network, generated from a seed: an account is generated from its partition and index alone, so that
 * a cluster of gigabytes keeps no account in memory.
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
  /** The approximate bytes of an account's data. */
  readonly accountBytes: number;
  readonly emptyPartitions: readonly number[];
  /** The timestamp of the snapshot, in milliseconds: all accounts are older. */
  readonly timestampMs: number;
  /** Makes the accounts; by default as diverse as those of real networks. */
  readonly makeAccount?: AccountMaker;
}

/** Makes the account of an address with the time of its last change, in milliseconds. */
export type AccountMaker = (
  random: Random,
  accountId: string,
  timestamp: number,
  isGlobal: boolean,
) => WrappedData;

/** The greatest age of an account at the time of the snapshot. */
const ageMaxMs = 30 * 24 * 3600 * 1000;

/** The words of an address after its prefix. */
const tailWords = 7;

interface Slots {
  readonly count: number;
  /** The partition's lowest prefix, and its number of prefixes. */
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

  /** Returns the range of indices that a selection has in a partition; `to` is exclusive. */
  selected(partition: number, selection: Selection): { from: number; to: number } {
    if (selection.isGlobal !== undefined && selection.isGlobal !== (partition === GLOBAL_PARTITION)) {
      return { from: 0, to: 0 };
    }
    const from = this.#firstIndex(partition, (address) => address >= selection.accountStart);
    const to = this.#firstIndex(partition, (address) => address > selection.accountEnd);
    return { from, to };
  }

  /** Yields the accounts of a partition in ascending order, from index `from` up to but excluding `to`. */
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

  /** Returns a partition's hash; with `isFalse`, that of its {@link falseAccounts}. */
  hashOf(partition: number, isFalse = false): string {
    const accounts = this.accounts(partition);
    return hashOfAccounts(isFalse ? falseAccounts(accounts) : accounts);
  }

  #slotsOf(partition: number): Slots {
    const slots = this.#slots.get(partition);
    if (slots === undefined) throw new RangeError(`unknown partition ${partition}`);
    return slots;
  }

  /** Finds an index by bisection: addresses ascend with their index. */
  #firstIndex(partition: number, isReached: (address: string) => boolean): number {
    const slots = this.#slotsOf(partition);
    let low = 0;
    let high = slots.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const address = addressAt(slots, middle, new Random(slots.seed, partition, middle));
      if (isReached(address)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Yields a partition's accounts with the first one changed, in the same way for all nodes that lie. */
export function* falseAccounts(accounts: Iterable<WrappedData>): Generator<WrappedData> {
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

/** Divides the partition's prefixes among its accounts, and picks a random one of the account's share. */
function addressAt(slots: Slots, index: number, random: Random): string {
  const start = Math.floor((index * slots.size) / slots.count);
  const end = Math.floor(((index + 1) * slots.size) / slots.count);
  const prefix = slots.low + start + random.below(end - start);
  return prefix.toString(16).padStart(8, "0") + random.hex(tailWords);
}

/** Distributes the accounts evenly over the partitions that are not empty. */
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
