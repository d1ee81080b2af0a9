/** `snapshot-assemble verify <directory>`: an offline check of a published snapshot. */

import { verifySnapshot } from "../assemble/verify-snapshot.ts";
import { Failure } from "../model/failure.ts";
import { formatBytes, formatCount } from "../ui/format.ts";
import type { Findings } from "../verify/findings.ts";
import type { Outcome } from "./outcome.ts";

export const verifyExamples = `Examples:
  $ snapshot-assemble verify snapshots/snapshot-1700000640000
  $ snapshot-assemble verify --json snapshots/snapshot-1700000640000
`;

export async function runVerify(directory: string): Promise<Outcome> {
  const findings = await verifySnapshot(directory);
  const summary = { ...findings };
  if (findings.ok) return { summary, text: describeVerified(findings) };
  const lines = findings.findings.map(({ file, problem }) => `  ${file}: ${problem}`);
  const error = new Failure(
    "verification",
    `${directory} is not what it says (${lines.length} findings)\n${lines.join("\n")}`,
    {
      hint: "Do not use it: assemble the snapshot again, or get it from elsewhere.",
    },
  );
  return { summary, error };
}

function describeVerified({
  timestamp,
  cycle,
  partitions,
  accounts,
  bytes,
  networkHash,
  digest,
}: Findings): string {
  const state = `${formatCount(accounts)} accounts (${formatBytes(bytes)}) in ${formatCount(partitions.total)} partitions`;
  return [
    `snapshot      ${timestamp}, the end of cycle ${cycle}`,
    `state         ${state}, all as the export data says`,
    `network hash  ${networkHash}`,
    `digest        ${digest}`,
  ].join("\n");
}
