/** `snapshot-assemble verify <directory>`: checks a published snapshot offline. */

import { randomInt } from "node:crypto";
import type { VerifyOptions } from "../../app/verify.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { SubsetText } from "../../options/option-texts.ts";
import { formatBytes, formatCount, formatCounted } from "../../ui/format.ts";
import { describeSubset, type Subset } from "../../verify/files/subset.ts";
import { type ClaimBasis, type ClaimName, isOfState } from "../../verify/findings/claims.ts";
import { codeOfFindings } from "../../verify/findings/finding-code.ts";
import type { ChainWitness, Findings } from "../../verify/findings/findings.ts";
import type { Io } from "../io.ts";
import { type CommandLineFlags, libraryOptionsOf } from "../library-options.ts";
import type { Outcome } from "../outcome.ts";

/** The options of the library, and those of the command line, on which a share and its seed are two options. */
export type VerifyFlags = Omit<VerifyOptions, "subset" | "signal"> &
  CommandLineFlags & { readonly subset?: SubsetText };

export const verifyExamples = `Examples:
  $ snapshot-assemble verify snapshots/snapshot-1700000640000
      checks that the directory is consistent, and states the basis of each claim
  $ snapshot-assemble verify --archiver-key 758b1c11…de3 snapshots/snapshot-1700000640000
      also requires that an archiver whose key you trust has signed the node list and the cycle records
  $ snapshot-assemble verify --trust-node-list my-nodes.json --trust-marker 5f3c…9a snapshots/snapshot-1700000640000
      counts the votes of your own node list, and requires a chain that leads to a cycle record that you know
  $ snapshot-assemble verify --nodes-per-consensus-group 5 --nodes-per-edge 2 snapshots/snapshot-1700000640000
      counts the votes under sharding settings that you know
  $ snapshot-assemble verify --subset 1/10 --json snapshots/snapshot-1700000640000
      reads the first of ten parts of the artifacts; 2/10 is the second
  $ snapshot-assemble verify --subset 5% snapshots/snapshot-1700000640000
      reads a random 5% of the artifacts, and states the seed; --seed selects the same artifacts again
`;

export async function runVerify(
  directory: string,
  flags: VerifyFlags,
  { signal, env }: Io,
): Promise<Outcome> {
  if (flags.nodesPerEdge !== undefined && flags.nodesPerConsensusGroup === undefined) {
    throw new SnapshotError("usage", "--nodes-per-edge is given without --nodes-per-consensus-group", {
      hint: "Add --nodes-per-consensus-group, which decides how many nodes vote on a partition.",
    });
  }
  const options = { ...libraryOptionsOf("verify", flags, env), subset: subsetOf(flags), signal };
  const { verifySnapshot } = await import("../../app/verify.ts");
  const findings = await verifySnapshot(directory, options);
  const summary = { ...findings };
  if (findings.ok) return { summary, lines: () => describeVerified(findings) };
  const details = findings.findings.map(({ file, problem }) => `${file}: ${problem}`);
  if (findings.findingsOmitted > 0) {
    details.push(`and ${formatCounted(findings.findingsOmitted, "more finding")}`);
  }
  if (findings.subset !== null) details.push(describeChecked(findings));
  const isUnproved = findings.findings.every(({ kind }) => kind === "unproved");
  const what = isUnproved ? "is consistent, but not proved" : "failed verification";
  const count = findings.findings.length + findings.findingsOmitted;
  const error = new SnapshotError(
    codeOfFindings(findings.findings),
    `${directory} ${what} (${formatCounted(count, "finding")})`,
    {
      details,
      hint: isUnproved
        ? hintForProof(findings)
        : "Do not use this snapshot: assemble it again, or get it from another source.",
    },
  );
  return { summary, error };
}

function subsetOf({ subset, seed }: VerifyFlags): Subset | undefined {
  if (subset !== undefined && "percent" in subset) return { ...subset, seed: seed ?? randomInt(2 ** 32) };
  if (seed === undefined) return subset;
  throw new SnapshotError("usage", "--seed is given without --subset x%", {
    hint: "Add a share, such as --subset 10%, or leave out --seed.",
  });
}

/** The options that prove each claim. */
const proofs: Readonly<Record<ClaimName, string>> = {
  nodeList: "the node list with --trust-node-list <file> or --archiver-key <hex>",
  cycle: "the cycle record with --archiver-key <hex> or --trust-marker <hex>",
  sharding: "the sharding settings with --nodes-per-consensus-group <n> and --nodes-per-edge <n>",
  quorum: "the quorum with --quorum majority",
  archivers: "the archivers with --archiver-key <hex>",
};

function hintForProof({ claims }: Findings): string {
  const missing = claims
    .filter(isOfState)
    .filter(({ basis }) => basis === "told")
    .map(({ claim }) => proofs[claim]);
  return `Prove ${missing.join("; ")}; or accept unproved claims with --require told.`;
}

const witnessed: Readonly<Record<ChainWitness, string>> = {
  confirms: ", confirmed by the cycle chain",
  told: ", named by cycle records that nothing proves",
  silent: "",
  unread: "",
};

const claimNames: Readonly<Record<ClaimName, string>> = {
  nodeList: "node list     ",
  cycle: "cycle record  ",
  sharding: "sharding      ",
  quorum: "quorum        ",
  archivers: "archivers     ",
};

const basisNames: Readonly<Record<ClaimBasis, string>> = {
  given: "given by you",
  proved: "proved",
  told: "told only by the directory",
};

/** Returns the result in one line. */
function verdictLine(findings: Findings): string {
  const ofState = findings.claims.filter(isOfState);
  const told = ofState.filter(({ basis }) => basis === "told").map(({ claim }) => claimTexts[claim]);
  const { total, checked } = findings.partitions;
  const what = checked === total ? "every artifact has its hash" : describeChecked(findings);
  const proof = told.length === 0 ? "every claim is proved or given" : `not proved: ${told.join(", ")}`;
  return `verified      no problem found; ${what}; ${proof}`;
}

function describeChecked({ partitions, subset }: Findings): string {
  const { total, checked } = partitions;
  const which = subset === null ? "" : ` (${describeSubset(subset)})`;
  return `${formatCount(checked)} of ${formatCounted(total, "artifact")} read${which}`;
}

const claimTexts: Readonly<Record<ClaimName, string>> = {
  nodeList: "the node list",
  cycle: "the cycle record",
  sharding: "the sharding settings",
  quorum: "the quorum",
  archivers: "the archivers",
};

function describeVerified(findings: Findings): string[] {
  const {
    timestamp,
    cycle,
    partitions,
    accounts,
    bytes,
    networkHash,
    digest,
    votes,
    nodeList,
    chain,
    claims,
    notes,
  } = findings;
  const { total, checked } = partitions;
  const share = `in ${checked === total ? "" : `${formatCount(checked)} of `}${formatCounted(total, "partition")}`;
  const whose = nodeList?.source === "auditor" ? "your node list" : "the snapshot's node list";
  return [
    verdictLine(findings),
    `snapshot      ${timestamp}, the end of cycle ${cycle}`,
    `state         ${formatCounted(accounts, "account")} (${formatBytes(bytes)}) ${share}, as the export data states`,
    `network hash  ${networkHash}${witnessed[chain]}`,
    `digest        ${digest}`,
    `votes         counted by ${whose}: ${formatCounted(nodeList?.nodes ?? 0, "node")}, hash ${nodeList?.hash}`,
    ...claims.map(({ claim, basis, detail }) => `${claimNames[claim]}${basisNames[basis]}: ${detail}`),
    ...votes.map(
      ({ partition, votesFor, votesAgainst, outOf }) =>
        `  partition ${partition}: ${votesFor} for, ${votesAgainst} against, of ${outOf}`,
    ),
    ...notes.map((note) => `note          ${note}`),
  ];
}
