/** The state of a whole network, generated from a seed: an account is generated from its partition and place alone. */

import type { WrappedData } from "../../protocol/account-copy.ts";
import { addressPrefix } from "../../protocol/address.ts";
import type { Partition } from "../../protocol/brands.ts";
import {
  allPartitions,
  GLOBAL_PARTITION,
  partitionRange,
  ringPartitions,
  type Shard,
} from "../../protocol/shard.ts";
import { makeData } from "./account-data.ts";
import { GeneratedState } from "./generated-state.ts";
import { Random } from "./random.ts";

export interface StateSettings {
  readonly seed: string;
  /** Accounts in the partitions 0 to N − 1. */
  readonly accounts: number;
  readonly globalAccounts: number;
  /** The approximate bytes of an account's data. */
  readonly accountBytes: number;
  readonly emptyPartitions: readonly Partition[];
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

export class SeededState extends GeneratedState {
  override readonly hasEarlier = false;
  readonly #settings: StateSettings;
  readonly #slots: ReadonlyMap<Partition, Slots>;

  constructor(settings: StateSettings, shard: Shard) {
    super();
    this.#settings = settings;
    this.#slots = makeSlots(settings, shard);
  }

  countOf(partition: Partition): number {
    return this.#slotsOf(partition).count;
  }

  account(partition: Partition, place: number): WrappedData {
    const slots = this.#slotsOf(partition);
    const random = new Random(slots.seed, partition, place);
    const accountId = addressAt(slots, place, random);
    const { makeAccount, timestampMs } = this.#settings;
    if (makeAccount !== undefined) {
      return makeAccount(random, accountId, timestampMs - 1, partition === GLOBAL_PARTITION);
    }
    const stateId = random.hex(8);
    const timestamp = timestampMs - 1 - random.below(ageMaxMs);
    const data = makeData(random, { stateId, timestamp, bytes: this.#settings.accountBytes });
    const account = { accountId, stateId, data, timestamp };
    if (partition === GLOBAL_PARTITION) return { ...account, syncData: { isGlobal: true } };
    return place % 3 === 0 ? { ...account, syncData: { isGlobal: false } } : account;
  }

  addressOf(partition: Partition, place: number): string {
    const slots = this.#slotsOf(partition);
    return addressAt(slots, place, new Random(slots.seed, partition, place));
  }

  earlier(): undefined {
    return undefined;
  }

  #slotsOf(partition: Partition): Slots {
    const slots = this.#slots.get(partition);
    if (slots === undefined) throw new RangeError(`unknown partition ${partition}`);
    return slots;
  }
}

/** Divides the partition's prefixes among its accounts, and picks a random one of the account's share. */
function addressAt(slots: Slots, place: number, random: Random): string {
  const start = Math.floor((place * slots.size) / slots.count);
  const end = Math.floor(((place + 1) * slots.size) / slots.count);
  const prefix = slots.low + start + random.below(end - start);
  return prefix.toString(16).padStart(8, "0") + random.hex(tailWords);
}

/** Distributes the accounts evenly over the partitions that are not empty. */
function makeSlots(settings: StateSettings, shard: Shard): Map<Partition, Slots> {
  const empty = new Set(settings.emptyPartitions);
  const filled = allPartitions(shard).filter(
    (partition) => partition !== GLOBAL_PARTITION && !empty.has(partition),
  );
  const seed = Random.named(settings.seed, "state").uint32();
  const slots = new Map<Partition, Slots>();
  slots.set(GLOBAL_PARTITION, { count: settings.globalAccounts, low: 0, size: 2 ** 32, seed });
  let rank = 0;
  for (const partition of ringPartitions(shard)) {
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
