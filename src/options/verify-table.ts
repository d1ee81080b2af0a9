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
    help: "count the votes of these nodes, not of those that the snapshot names; a signed list also proves cycle records with the same signature",
  },
  archiverKey: {
    flag: "--archiver-key <hex>",
    kind: hexKey,
    help: "the public key that the node list and the cycle records must be signed with",
  },
  trustMarker: {
    flag: "--trust-marker <hex>",
    kind: hexKey,
    help: "the marker of a cycle record that you know, of the snapshot's cycle or a later one",
  },
  nodesPerConsensusGroup: {
    flag: "--nodes-per-consensus-group <n>",
    kind: wholeNumber(1, nodesMax),
    defaultText: "what the evidence proves, or else says",
    help: "nodes that vote on a partition",
  },
  nodesPerEdge: {
    flag: "--nodes-per-edge <n>",
    kind: wholeNumber(0, nodesMax),
    help: "nodes on each side of those that store it too; with --nodes-per-consensus-group",
  },
  quorum,
  require: {
    flag: "--require <basis>",
    kind: oneOf("proved", "told"),
    help: "proved: what only the directory says is a finding (the default with --trust-node-list, --archiver-key or --trust-marker); told: it may say so",
  },
  subset: {
    flag: "--subset <n/t|x%>",
    kind: subset,
    help: "read only the n-th of t parts of the artifacts, or a random share of them, which says its seed",
  },
  signal: { kind: abortSignal, help: "ends the check" },
} as const satisfies OptionTable;

/** The command line has a share and its seed as two options. */
export const seedTable = {
  seed: {
    flag: "--seed <n>",
    kind: { accepts: Number.isSafeInteger, expected: "a whole number from 0", parse: parseSeed },
    help: "with --subset x%: read the share that an earlier check with this seed read",
  },
} as const satisfies OptionTable;
