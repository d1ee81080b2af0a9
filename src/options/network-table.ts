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
    help: "the archiver's public key, 64 hex digits; each of its responses must be signed with it",
  },
  nodes: { flag: "--nodes <file>", kind: path, help: "read the node list from this file" },
  cycles: { flag: "--cycles <file>", kind: path, help: "read the cycle records from this file" },
  hashKey: {
    flag: "--hash-key <hex>",
    kind: hexKey,
    env: "ARCHIVER_HASH_KEY",
    defaultText: "the key of Shardeum's networks",
    help: "the network's hash key, 64 hex digits",
  },
  nodesPerConsensusGroup: {
    flag: "--nodes-per-consensus-group <n>",
    kind: wholeNumber(1, nodesMax),
    defaultText: "proved by a /netconfig response, or stated unanimously by a sample of validators",
    help: "number of nodes that vote on a partition",
  },
  nodesPerEdge: {
    flag: "--nodes-per-edge <n>",
    kind: wholeNumber(0, nodesMax),
    defaultText: "proved or stated like --nodes-per-consensus-group",
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
    help: "start the cluster of this fixture for the run, and use it as the network; snapshot-assemble cluster --help lists the fixtures",
  },
} as const satisfies OptionTable;
