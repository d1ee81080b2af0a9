/** `snapshot-assemble verify <directory>`: an offline check of a published snapshot. */

import type { Quorum } from "../gossip/collector.ts";
import { Failure, type FailureCode } from "../model/failure.ts";
import { formatBytes, formatCount } from "../ui/format.ts";
import type { FindingKind, Findings } from "../verify/findings.ts";
import type { Io } from "./io.ts";
import type { Outcome } from "./outcome.ts";
import type { Subset } from "./values.ts";

export interface VerifyFlags {
  readonly trustNodeList?: string;
  readonly quorum?: Quorum;
  readonly subset?: Subset;
}

export const verifyExamples = `Examples:
  $ snapshot-assemble verify snapshots/snapshot-1700000640000
  $ snapshot-assemble verify --trust-node-list my-nodes.json snapshots/snapshot-1700000640000
      with the votes of the nodes that you know, rather than of those that the snapshot names
  $ snapshot-assemble verify --subset 1/10 --json snapshots/snapshot-1700000640000
      a tenth of the artifacts, another tenth each time
`;

export async function runVerify(directory: string, flags: VerifyFlags, { signal }: Io): Promise<Outcome> {
  const { trustNodeList, quorum, subset } = flags;
  const first = Math.floor(Math.random() * (subset?.oneIn ?? 1));
  const options = {
    signal,
    trustNodeList,
    quorum,
    subset: subset === undefined ? undefined : { ...subset, first },
  };
  const { verifySnapshot } = await import("../assemble/verify-snapshot.ts");
  const findings = await verifySnapshot(directory, options);
  const summary = { ...findings };
  if (findings.ok) return { summary, lines: () => describeVerified(findings) };
  const details = findings.findings.map(({ file, problem }) => `${file}: ${problem}`);
  const error = new Failure(
    codeOf(findings),
    `${directory} is not what it says (${details.length} findings)`,
    {
      details,
      hint: "Do not use it: assemble the snapshot again, or get it from elsewhere.",
    },
  );
  return { summary, error };
}

/** What the findings come to: wrong bytes weigh more than votes that do not carry them, and so on. */
const codes: readonly (readonly [readonly FindingKind[], FailureCode])[] = [
  [["gossip", "no-agreement"], "no-agreement"],
  [["chain"], "chain"],
  [["node-list"], "node-list"],
];

function codeOf({ findings }: Findings): FailureCode {
  const isOnly = (kinds: readonly FindingKind[]) => findings.every(({ kind }) => kinds.includes(kind));
  const explained: FindingKind[] = [];
  for (const [kinds, code] of [...codes].reverse()) {
    explained.push(...kinds);
    if (isOnly(explained)) return code;
  }
  return "verification";
}

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
    notes,
  } = findings;
  const { total, checked } = partitions;
  const share =
    checked === total
      ? `in ${formatCount(total)} partitions`
      : `in ${formatCount(checked)} of ${formatCount(total)} partitions`;
  const whose =
    nodeList?.source === "auditor" ? "your node list" : "the node list inside, which is taken on trust";
  return [
    `snapshot      ${timestamp}, the end of cycle ${cycle}`,
    `state         ${formatCount(accounts)} accounts (${formatBytes(bytes)}) ${share}, all as the export data says`,
    `network hash  ${networkHash}${chain === "confirms" ? ", as the cycle chain records it" : ""}`,
    `digest        ${digest}`,
    `votes         by ${whose}: ${formatCount(nodeList?.nodes ?? 0)} nodes, hash ${nodeList?.hash}`,
    ...votes.map(
      ({ partition, votesFor, votesAgainst, outOf }) =>
        `  partition ${partition}: ${votesFor} for, ${votesAgainst} against, of ${outOf}`,
    ),
    ...notes.map((note) => `note          ${note}`),
  ];
}
