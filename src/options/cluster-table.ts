/** The options of `cluster`, which starts a cluster to try the program with. */

import { anyText, flag, hexKey, type Kind, milliseconds, path, texts, wholeNumber } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";
import { parseSeconds } from "./option-texts.ts";

/** Each node of a live cluster is a process of one machine. */
const nodesMax = 200;
const accountsMax = 10_000_000;
const globalAccountsMax = 10_000;
const txRateMax = 100_000;
const snapshotEveryMax = 1_000_000;
const cycleSecondsMax = 24 * 3600;
const churnEveryMax = 1_000_000;

/**
 * The size and the pace of a live cluster. Each of the nine nodes votes on seven partitions and stores no others. If
 * two nodes lie and one is down, four of the seven votes on any partition are still equal.
 */
export const liveClusterDefaults = {
  seed: "live",
  nodes: 9,
  nodesPerConsensusGroup: 7,
  nodesPerEdge: 0,
  /** Seconds. */
  cycleDuration: 2,
  snapshotEvery: 5,
  accounts: 2000,
  globalAccounts: 4,
  txRate: 200,
} as const;

/** Cycle records state whole seconds. */
const wholeSeconds: Kind = {
  ...wholeNumber(1, cycleSecondsMax),
  expected: `a whole number of seconds from 1 to ${cycleSecondsMax}`,
  parse: parseSeconds,
};

const snapshotServers: Kind = {
  ...path,
  expected: "URLs with commas between them, or the path of a directory",
  takesUrl: true,
};

/** Shows a default without setting it: the command refuses options of a live cluster with a fixture. */
const shownDefault = (value: number | string) => ({ defaultText: String(value) });

export const clusterTable = {
  live: {
    flag: "--live",
    kind: flag,
    help: "start validators whose state changes from cycle to cycle, instead of a fixture",
  },
  nodes: {
    flag: "--nodes <n>",
    kind: wholeNumber(1, nodesMax),
    ...shownDefault(liveClusterDefaults.nodes),
    help: "live: number of validators",
  },
  nodesPerConsensusGroup: {
    flag: "--nodes-per-consensus-group <n>",
    kind: wholeNumber(1, nodesMax),
    ...shownDefault(liveClusterDefaults.nodesPerConsensusGroup),
    help: "live: number of nodes that vote on a partition",
  },
  nodesPerEdge: {
    flag: "--nodes-per-edge <n>",
    kind: wholeNumber(0, nodesMax),
    ...shownDefault(liveClusterDefaults.nodesPerEdge),
    help: "live: number of further partitions, on each side of those that a node votes on, that the node stores",
  },
  cycleDuration: {
    flag: "--cycle-duration <duration>",
    kind: wholeSeconds,
    defaultText: `${liveClusterDefaults.cycleDuration}s`,
    help: "live: duration of a cycle in whole seconds, such as 2s or 1m",
  },
  snapshotEvery: {
    flag: "--snapshot-every <n>",
    kind: wholeNumber(1, snapshotEveryMax),
    ...shownDefault(liveClusterDefaults.snapshotEvery),
    help: "live: number of cycles between two snapshots",
  },
  accounts: {
    flag: "--accounts <n>",
    kind: wholeNumber(2, accountsMax),
    ...shownDefault(liveClusterDefaults.accounts),
    help: "live: number of accounts at the start",
  },
  globalAccounts: {
    flag: "--global-accounts <n>",
    kind: wholeNumber(0, globalAccountsMax),
    ...shownDefault(liveClusterDefaults.globalAccounts),
    help: "live: number of accounts that every node stores",
  },
  txRate: {
    flag: "--tx-rate <n>",
    kind: wholeNumber(1, txRateMax),
    ...shownDefault(liveClusterDefaults.txRate),
    help: "live: transactions per second",
  },
  seed: {
    flag: "--seed <text>",
    kind: anyText,
    ...shownDefault(liveClusterDefaults.seed),
    help: "live: seed of the nodes, the accounts and the transactions",
  },
  join: {
    flag: "--join <validator@cycle>",
    kind: texts,
    help: "live: start a new validator in a cycle; it becomes active when it has the state; its number is at least that of --nodes; repeat the option for several",
  },
  leave: {
    flag: "--leave <validator@cycle>",
    kind: texts,
    help: "live: remove a validator in a cycle, after its last vote; repeat the option for several",
  },
  kill: {
    flag: "--kill <validator@cycle>",
    kind: texts,
    help: "live: kill a validator for good in a cycle; the next record reports it as lost, and the one after removes it; repeat the option for several",
  },
  churnEvery: {
    flag: "--churn <n>",
    kind: wholeNumber(1, churnEveryMax),
    help: "live: every n cycles, a validator that the seed chooses joins, leaves or dies",
  },
  faults: {
    flag: "--fault <node:fault>",
    kind: texts,
    help: "live: fault of a node, or of every node (*); repeat the option for several faults",
  },
  from: {
    flag: "--from <servers|directory>",
    kind: snapshotServers,
    help: "live: start from a snapshot: URLs of servers (serve) with commas between them, or a directory of published snapshots, which is served while the cluster runs",
  },
  fromDigest: {
    flag: "--from-digest <hash>",
    kind: hexKey,
    help: "live: digest of the snapshot of --from; required with URLs, since a server may lie",
  },
  fromTimestamp: {
    flag: "--from-timestamp <milliseconds>",
    kind: milliseconds,
    defaultText: "the newest snapshot",
    help: "live: timestamp of the snapshot, with a directory",
  },
  resume: {
    flag: "--resume <directory>",
    kind: path,
    help: "live: with --from, directory of the cluster whose snapshot it is; its transactions after the snapshot are repeated",
  },
  directory: {
    flag: "--directory <directory>",
    kind: path,
    help: "live: empty directory for databases, exports and the transaction log (by default, a temporary directory)",
  },
} as const satisfies OptionTable;
