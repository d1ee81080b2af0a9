/** Faults in the accounts of an answer to `POST /snapshot`: too few, too many, the wrong ones. */

import { isGlobalAccount, type WrappedData } from "../../protocol/account-copy.ts";
import { GLOBAL_PARTITION, partitionOf, partitionRange, type Shard } from "../../protocol/shard.ts";
import type { NodeSetup } from "../cluster/node-setup.ts";
import { tampered } from "../state/account-data.ts";
import type { Random } from "../state/random.ts";
import { EVERYTHING } from "../validator/state/account-source.ts";
import { type FaultKind, given } from "./fault-kind.ts";

type Rows = Iterable<WrappedData>;

/** Accounts of an unsorted answer that are shuffled at once. */
const shuffledAccounts = 8192;

export const accountFaults: readonly FaultKind[] = [
  {
    name: "no-range",
    description: "does not know the range extension: answers with everything",
    apply: ({ conduct }) => void conduct.select.push(() => EVERYTHING),
  },
  {
    name: "corrupt-data",
    description: "changes an account of each partition, or of one, and votes honestly",
    parameter: { kind: "partition", default: undefined },
    apply: (node, partition) => changeFirst(node, partition, (account) => [tampered(account)]),
  },
  {
    name: "omit-account",
    description: "leaves out an account of each partition, or of one",
    parameter: { kind: "partition", default: undefined },
    apply: (node, partition) => changeFirst(node, partition, () => []),
  },
  {
    name: "omit-partition",
    description: "leaves out all accounts of a partition",
    parameter: { kind: "partition" },
    apply: ({ conduct, network }, partition) => {
      conduct.rows.push((rows) => without(rows, network.shard, given(partition)));
    },
  },
  {
    name: "stale-data",
    description: "answers with the state of an earlier moment",
    apply: ({ conduct, network }) => {
      conduct.rows.push((rows) => stale(rows, network.cycleDurationMs));
    },
  },
  {
    name: "wrong-global",
    description: "says of an account of each partition, or of one, that it is global",
    parameter: { kind: "partition", default: undefined },
    apply: (node, partition) => {
      changeFirst(node, partition, (account) => [
        { ...account, syncData: { isGlobal: !isGlobalAccount(account) } },
      ]);
    },
  },
  {
    name: "wrong-partition",
    description: "answers with the partition behind what it is asked for",
    apply: ({ conduct, network: { shard } }) => {
      conduct.select.push(({ accountEnd, isGlobal }) => {
        const { low, high } = partitionRange(shard, (partitionOf(shard, accountEnd) + 1) % shard.numNodes);
        return { accountStart: low, accountEnd: high, isGlobal };
      });
    },
  },
  {
    name: "duplicate-accounts",
    description: "sends every seventh account twice",
    apply: ({ conduct }) => void conduct.rows.push(withDuplicates),
  },
  {
    name: "unsorted",
    description: "sends the accounts in no order, as the protocol allows",
    apply: ({ conduct, random }) => void conduct.rows.push((rows) => unsorted(rows, random)),
  },
  {
    name: "foreign-accounts",
    description: "sends so many accounts of partitions it does not store",
    parameter: { kind: "count", default: 100 },
    apply: (node, count) => void node.conduct.rows.push((rows) => withForeign(rows, node, given(count))),
  },
  {
    name: "endless",
    description: "goes on with made-up accounts, and never ends",
    apply: ({ conduct }) => void conduct.rows.push(endless),
  },
];

/** Puts others in the place of the first account of a partition, or of every partition of the answer. */
function changeFirst(
  { conduct, network }: NodeSetup,
  partition: number | undefined,
  change: (account: WrappedData) => WrappedData[],
): void {
  conduct.rows.push(function* (rows) {
    const changed = new Set<number>();
    for (const account of rows) {
      const own = partitionOfAccount(network.shard, account);
      if (changed.has(own) || (partition ?? own) !== own) {
        yield account;
      } else {
        changed.add(own);
        yield* change(account);
      }
    }
  });
}

function* without(rows: Rows, shard: Shard, partition: number): Rows & Generator<WrappedData> {
  for (const account of rows) {
    if (partitionOfAccount(shard, account) !== partition) yield account;
  }
}

function* stale(rows: Rows, ageMs: number): Generator<WrappedData> {
  for (const account of rows) yield { ...tampered(account), timestamp: account.timestamp - ageMs };
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

function* withForeign(rows: Rows, { stored, network }: NodeSetup, count: number): Generator<WrappedData> {
  yield* rows;
  let left = count;
  for (let partition = 0; partition < network.shard.numNodes; partition++) {
    if (stored.includes(partition)) continue;
    const sent = Math.min(left, network.state.countOf(partition));
    yield* network.state.accounts(partition, 0, sent);
    left -= sent;
  }
}

/** Behind the last account, with its prefix: in the same partition, and still in ascending order. */
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

function partitionOfAccount(shard: Shard, account: WrappedData): number {
  return isGlobalAccount(account) ? GLOBAL_PARTITION : partitionOf(shard, account.accountId);
}
