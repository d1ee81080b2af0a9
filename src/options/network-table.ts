/** The options that choose a network, and how it is requested. */

import { nodesMax } from "../limits/network.ts";
import { duration, flag, hexKey, httpUrl, path, wholeNumber } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";
import { durationHelp } from "./option-texts.ts";

export const networkTable = {
  archiver: {
    flag: "--archiver <url>",
    kind: httpUrl,
    help: "read the node list and cycle records from this archiver",
  },
  archiverKey: {
    flag: "--archiver-key <hex>",
    kind: hexKey,
    help: "the public key that the archiver's responses must be signed with",
  },
  nodes: { flag: "--nodes <file>", kind: path, help: "read the node list from a file" },
  cycles: { flag: "--cycles <file>", kind: path, help: "read the cycle records from a file" },
  hashKey: {
    flag: "--hash-key <hex>",
    kind: hexKey,
    env: "ARCHIVER_HASH_KEY",
    help: "the network's hash key",
  },
  nodesPerConsensusGroup: {
    flag: "--nodes-per-consensus-group <n>",
    kind: wholeNumber(1, nodesMax),
    defaultText: "what a /netconfig response proves, or all of a sample state",
    help: "nodes that vote on a partition",
  },
  nodesPerEdge: {
    flag: "--nodes-per-edge <n>",
    kind: wholeNumber(0, nodesMax),
    defaultText: "as above",
    help: "nodes on each side of those that store it too",
  },
  allowPrivate: {
    flag: "--allow-private",
    kind: flag,
    help: "request from validators at loopback and private addresses also where the archiver's own address is public",
  },
  connectTimeoutMs: {
    flag: "--connect-timeout <duration>",
    kind: duration,
    default: 10_000,
    defaultText: "10s",
    help: `give up connecting after this, ${durationHelp}`,
  },
  stallTimeoutMs: {
    flag: "--stall-timeout <duration>",
    kind: duration,
    default: 30_000,
    defaultText: "30s",
    help: "give up a response that brings nothing for so long",
  },
} as const satisfies OptionTable;

/** On the command line, a cluster that is started for one run can take the place of a network. */
export const clusterOfRunTable = {
  cluster: {
    flag: "--cluster <fixture>",
    kind: path,
    conflicts: ["archiver", "archiverKey", "nodes", "cycles"],
    help: "start this fixture cluster for the run, instead of using a network",
  },
} as const satisfies OptionTable;
