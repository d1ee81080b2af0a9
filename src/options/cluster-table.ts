/** The options of a cluster that is started to try the program. */

import { anyText, duration, flag, path, texts, wholeNumber } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";

/** Processes on one machine. */
const nodesMax = 200;
const accountsMax = 10_000_000;
const globalAccountsMax = 10_000;
const txRateMax = 100_000;
const snapshotEveryMax = 1_000_000;

/**
 * The size and the pace of a live cluster. With nine nodes, each votes on seven partitions and stores no others: two
 * may lie and one be away, and four of the seven votes on any partition are still the same.
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

/** What is not given stays unset: a fixture takes none of the options of a live cluster. */
const of = (value: number | string) => ({ defaultText: String(value) });

export const clusterTable = {
  live: {
    flag: "--live",
    kind: flag,
    help: "start validators that go on from cycle to cycle, instead of a fixture",
  },
  nodes: {
    flag: "--nodes <n>",
    kind: wholeNumber(1, nodesMax),
    ...of(liveClusterDefaults.nodes),
    help: "live: validators",
  },
  nodesPerConsensusGroup: {
    flag: "--nodes-per-consensus-group <n>",
    kind: wholeNumber(1, nodesMax),
    ...of(liveClusterDefaults.nodesPerConsensusGroup),
    help: "live: nodes that vote on a partition",
  },
  nodesPerEdge: {
    flag: "--nodes-per-edge <n>",
    kind: wholeNumber(0, nodesMax),
    ...of(liveClusterDefaults.nodesPerEdge),
    help: "live: partitions that a node stores beyond those that it votes on, on each side",
  },
  cycleDuration: {
    flag: "--cycle-duration <duration>",
    kind: duration,
    defaultText: `${liveClusterDefaults.cycleDuration}s`,
    help: "live: whole seconds, like 2s or 1m",
  },
  snapshotEvery: {
    flag: "--snapshot-every <n>",
    kind: wholeNumber(1, snapshotEveryMax),
    ...of(liveClusterDefaults.snapshotEvery),
    help: "live: cycles between two snapshots",
  },
  accounts: {
    flag: "--accounts <n>",
    kind: wholeNumber(2, accountsMax),
    ...of(liveClusterDefaults.accounts),
    help: "live: accounts to begin with",
  },
  globalAccounts: {
    flag: "--global-accounts <n>",
    kind: wholeNumber(0, globalAccountsMax),
    ...of(liveClusterDefaults.globalAccounts),
    help: "live: accounts that all nodes hold",
  },
  txRate: {
    flag: "--tx-rate <n>",
    kind: wholeNumber(1, txRateMax),
    ...of(liveClusterDefaults.txRate),
    help: "live: transactions a second",
  },
  seed: {
    flag: "--seed <text>",
    kind: anyText,
    ...of(liveClusterDefaults.seed),
    help: "live: what all of it is made from",
  },
  fault: {
    flag: "--fault <node:fault>",
    kind: texts,
    help: "live: a fault of a node, or of all (*); may be given several times",
  },
  directory: {
    flag: "--directory <directory>",
    kind: path,
    help: "live: where databases, exports and the transaction log are kept; it must be empty",
  },
} as const satisfies OptionTable;
