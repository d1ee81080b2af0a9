/** The options of the offline check of a published snapshot. */

import { nodesMax } from "../limits/network.ts";
import { quorum } from "./assemble-table.ts";
import { abortSignal, hexKey, type Kind, oneOf, path, wholeNumber } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";
import { parseSeed, parseSubset } from "./option-texts.ts";

const subset: Kind = {
  accepts: isSubset,
  expected: "{ oneIn, first } with 0 <= first < oneIn, or { percent, seed } with 0 < percent <= 100",
  parse: parseSubset,
};

function isSubset(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const [oneIn, first, percent, seed] = ["oneIn", "first", "percent", "seed"].map((name) =>
    Reflect.get(value, name),
  );
  if (oneIn !== undefined) {
    return Number.isSafeInteger(oneIn) && Number.isSafeInteger(first) && 0 <= first && first < oneIn;
  }
  return (
    typeof percent === "number" && percent > 0 && percent <= 100 && Number.isSafeInteger(seed) && seed >= 0
  );
}

export const verifyTable = {
  trustNodeList: {
    flag: "--trust-node-list <file>",
    kind: path,
    help: "count the votes of the nodes in this file, not of those in the snapshot; a signed list also proves the cycle records that the same key has signed",
  },
  archiverKey: {
    flag: "--archiver-key <hex>",
    kind: hexKey,
    help: "an archiver's public key, 64 hex digits; it must have signed the node list and the cycle records",
  },
  trustMarker: {
    flag: "--trust-marker <hex>",
    kind: hexKey,
    help: "marker, 64 hex digits, of a cycle record that you trust: that of the snapshot's cycle, or a later one",
  },
  nodesPerConsensusGroup: {
    flag: "--nodes-per-consensus-group <n>",
    kind: wholeNumber(1, nodesMax),
    defaultText: "what the evidence proves, or otherwise states",
    help: "number of nodes that vote on a partition",
  },
  nodesPerEdge: {
    flag: "--nodes-per-edge <n>",
    kind: wholeNumber(0, nodesMax),
    help: "number of further nodes, on each side of those that vote, that store the partition; requires --nodes-per-consensus-group",
  },
  quorum,
  require: {
    flag: "--require <basis>",
    kind: oneOf("proved", "told"),
    help: "what a claim must rest on; proved: a claim that only the directory supports is a finding (the default with --trust-node-list, --archiver-key or --trust-marker); told: such a claim is accepted (otherwise the default)",
  },
  subset: {
    flag: "--subset <n/t|x%>",
    kind: subset,
    help: "read only the n-th of t parts of the artifacts, such as 1/10, or a random share of them, such as 5%; the output states the seed of the share",
  },
  signal: { kind: abortSignal, help: "ends the check" },
} as const satisfies OptionTable;

/** The command line takes a share and its seed as two options. */
export const seedTable = {
  seed: {
    flag: "--seed <n>",
    kind: { accepts: Number.isSafeInteger, expected: "a whole number from 0", parse: parseSeed },
    help: "with --subset x%: read the same share as an earlier check with this seed",
  },
} as const satisfies OptionTable;
