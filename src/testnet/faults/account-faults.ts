/** Faults in the accounts of a response to `POST /snapshot`: missing, additional and false accounts. */

import { isGlobalAccount, type WrappedData } from "../../protocol/account-copy.ts";
import { asPartition, type Partition } from "../../protocol/brands.ts";
import {
  GLOBAL_PARTITION,
  partitionAt,
  partitionOf,
  partitionRange,
  ringPartitions,
  type Shard,
} from "../../protocol/shard.ts";
import { EVERYTHING } from "../../wire/snapshot-request.ts";
import type { ValidatorSetup } from "../cluster/validator-setup.ts";
import { tampered } from "../state/account-data.ts";
import type { Random } from "../state/random.ts";
import { type FaultKind, optionalPartition, requiredValue } from "./fault-kind.ts";

type Rows = Iterable<WrappedData>;

/** The number of accounts that an unsorted response shuffles together. */
const shuffledAccounts = 8192;

export const accountFaults: readonly FaultKind[] = [
  {
    name: "no-range",
    description: "supports neither ranges nor deltas: sends all of its accounts",
    apply: ({ hooks }) => void hooks.responses.select.push(() => EVERYTHING),
  },
  {
    name: "corrupt-data",
    description: "changes an account of each partition, or of one, and votes honestly",
    parameter: { kind: "partition", default: undefined },
    apply: (node, value) => {
      const change = firstChanged(node, optionalPartition(value), (account) => [tampered(account)]);
      node.hooks.responses.rows.push(change);
    },
  },
  {
    name: "omit-account",
    description: "omits an account of each partition, or of one",
    parameter: { kind: "partition", default: undefined },
    apply: (node, value) =>
      void node.hooks.responses.rows.push(firstChanged(node, optionalPartition(value), () => [])),
  },
  {
    name: "omit-partition",
    description: "omits all accounts of a partition",
    parameter: { kind: "partition" },
    apply: ({ hooks, network }, value) => {
      const partition = asPartition(requiredValue(value));
      hooks.responses.rows.push((rows) => without(rows, network.shard, partition));
    },
  },
  {
    name: "stale-data",
    description: "sends the state of an earlier moment",
    apply: ({ hooks, network }) => {
      hooks.responses.rows.push((rows) => allStale(rows, network.cycleDurationMs));
    },
  },
  {
    name: "wrong-global",
    description: "sends an account of each partition, or of one, as global",
    parameter: { kind: "partition", default: undefined },
    apply: (node, value) => {
      const change = (account: WrappedData) => [
        { ...account, syncData: { isGlobal: !isGlobalAccount(account) } },
      ];
      node.hooks.responses.rows.push(firstChanged(node, optionalPartition(value), change));
    },
  },
  {
    name: "wrong-partition",
    description: "sends the partition after the requested one",
    apply: ({ hooks, network: { shard } }) => {
      hooks.responses.select.push((selection) => {
        const requested = partitionOf(shard, selection.accountEnd);
        const { low, high } = partitionRange(shard, partitionAt(shard, requested + 1));
        return { ...selection, accountStart: low, accountEnd: high };
      });
    },
  },
  {
    name: "duplicate-accounts",
    description: "sends every seventh account twice",
    apply: ({ hooks }) => void hooks.responses.rows.push(withDuplicates),
  },
  {
    name: "unsorted",
    description: "sends the accounts unordered, as the protocol permits",
    apply: ({ hooks, random }) => void hooks.responses.rows.push((rows) => unsorted(rows, random)),
  },
  {
    name: "foreign-accounts",
    description: "also sends accounts of partitions that it does not store",
    parameter: { kind: "count", default: 100 },
    apply: (node, count) =>
      void node.hooks.responses.rows.push((rows) => withForeign(rows, node, requiredValue(count))),
  },
  {
    name: "endless",
    description: "sends invented accounts without end",
    apply: ({ hooks }) => void hooks.responses.rows.push(endless),
  },
];

/** Replaces the first account of a partition, or of every partition of a response. */
export function firstChanged(
  { network }: ValidatorSetup,
  partition: Partition | undefined,
  change: (account: WrappedData) => WrappedData[],
): (rows: Rows) => Rows {
  return function* (rows) {
    const changed = new Set<Partition>();
    for (const account of rows) {
      const own = partitionOfAccount(network.shard, account);
      if (changed.has(own) || (partition ?? own) !== own) {
        yield account;
      } else {
        changed.add(own);
        yield* change(account);
      }
    }
  };
}

function* without(rows: Rows, shard: Shard, partition: Partition): Rows & Generator<WrappedData> {
  for (const account of rows) {
    if (partitionOfAccount(shard, account) !== partition) yield account;
  }
}

function* allStale(rows: Rows, ageMs: number): Generator<WrappedData> {
  for (const account of rows) yield stale(account, ageMs);
}

/** Returns an invented earlier version of an account. */
export function stale(account: WrappedData, ageMs: number): WrappedData {
  return { ...tampered(account), timestamp: account.timestamp - ageMs };
}

function* withDuplicates(rows: Rows): Generator<WrappedData> {
  let number = 0;
  for (const account of rows) {
    yield account;
    if (++number % 7 === 0) yield account;
  }
}

function* unsorted(rows: Rows, random: Random): Generator<WrappedData> {
  let waiting: WrappedData[] = [];
  for (const account of rows) {
    if (waiting.push(account) < shuffledAccounts) continue;
    yield* random.shuffled(waiting);
    waiting = [];
  }
  yield* random.shuffled(waiting);
}

function* withForeign(
  rows: Rows,
  { stored, network }: ValidatorSetup,
  count: number,
): Generator<WrappedData> {
  yield* rows;
  let left = count;
  for (const partition of ringPartitions(network.shard)) {
    if (stored.includes(partition)) continue;
    const sent = Math.min(left, network.state.countOf(partition));
    yield* network.state.accounts(partition, 0, sent);
    left -= sent;
  }
}

/** Adds accounts with the prefix of the last one: in the same partition, and in ascending order. */
function* endless(rows: Rows): Generator<WrappedData> {
  let last: WrappedData | undefined;
  for (const account of rows) {
    yield account;
    last = account;
  }
  if (last === undefined) return;
  for (let number = 0; ; number++) {
    const accountId = last.accountId.slice(0, 8).padEnd(32, "f") + number.toString(16).padStart(32, "0");
    yield { ...last, accountId };
  }
}

function partitionOfAccount(shard: Shard, account: WrappedData): Partition {
  return isGlobalAccount(account) ? GLOBAL_PARTITION : partitionOf(shard, account.accountId);
}
