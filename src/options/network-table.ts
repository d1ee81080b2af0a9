/** The options that choose a network, and that limit the requests to it. */

import { nodesMax } from "../limits/network.ts";
import { duration, flag, hexKey, httpUrl, path, wholeNumber } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";
import { durationHelp } from "./option-texts.ts";

export const networkTable = {
  archiver: {
    flag: "--archiver <url>",
    kind: httpUrl,
    help: "read the node list and the cycle records from this archiver",
  },
  archiverKey: {
    flag: "--archiver-key <hex>",
    kind: hexKey,
    help: "public key that must have signed the archiver's responses",
  },
  nodes: { flag: "--nodes <file>", kind: path, help: "read the node list from this file" },
  cycles: { flag: "--cycles <file>", kind: path, help: "read the cycle records from this file" },
  hashKey: {
    flag: "--hash-key <hex>",
    kind: hexKey,
    env: "ARCHIVER_HASH_KEY",
    help: "the network's hash key",
  },
  nodesPerConsensusGroup: {
    flag: "--nodes-per-consensus-group <n>",
    kind: wholeNumber(1, nodesMax),
    defaultText: "proved by a /netconfig response, or stated alike by a sample of validators",
    help: "number of nodes that vote on a partition",
  },
  nodesPerEdge: {
    flag: "--nodes-per-edge <n>",
    kind: wholeNumber(0, nodesMax),
    defaultText: "from the same source",
    help: "number of further nodes, on each side of those that vote, that store the partition",
  },
  allowPrivate: {
    flag: "--allow-private",
    kind: flag,
    help: "send requests to validators at loopback and private addresses even if the archiver's address is public",
  },
  connectTimeoutMs: {
    flag: "--connect-timeout <duration>",
    kind: duration,
    default: 10_000,
    defaultText: "10s",
    help: `time limit for a connection attempt, ${durationHelp}`,
  },
  stallTimeoutMs: {
    flag: "--stall-timeout <duration>",
    kind: duration,
    default: 30_000,
    defaultText: "30s",
    help: "time limit for a response that sends no bytes",
  },
} as const satisfies OptionTable;

/** On the command line, a run can start a cluster and use it as its network. */
export const clusterOfRunTable = {
  cluster: {
    flag: "--cluster <fixture>",
    kind: path,
    conflicts: ["archiver", "archiverKey", "nodes", "cycles"],
    help: "start this fixture cluster for the run, and use it as the network",
  },
} as const satisfies OptionTable;
