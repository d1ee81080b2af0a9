/** Requires that a snapshot passes verification before it is used. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { Cycle, HashHex } from "../../protocol/brands.ts";
import { counted } from "../../text/counted.ts";
import { checkSnapshot, type VerifyOptions } from "../../verify/check-snapshot.ts";
import { codeOfFindings } from "../../verify/findings/finding-code.ts";
import type { Findings } from "../../verify/findings/findings.ts";

/** Findings that an error lists. */
const findingsShownMax = 20;

export type VerifiedFindings = Findings & {
  readonly cycle: Cycle;
  readonly networkHash: HashHex;
  readonly digest: string;
};

/** What a verified snapshot is for. */
export type SnapshotUse = "restore" | "serve";

const participles: Readonly<Record<SnapshotUse, string>> = { restore: "restored", serve: "served" };

/** @throws SnapshotError with the code of the most severe finding, and as `checkSnapshot` */
export async function requireVerified(
  directory: string,
  options: VerifyOptions,
  use: SnapshotUse,
): Promise<VerifiedFindings> {
  const findings = await checkSnapshot(directory, options);
  if (isVerified(findings)) return findings;
  throw refused(directory, findings, use);
}

function isVerified(findings: Findings): findings is VerifiedFindings {
  const { ok, cycle, networkHash, digest } = findings;
  return ok && cycle !== null && networkHash !== null && digest !== null;
}

function refused(
  directory: string,
  { findings, findingsOmitted }: Findings,
  use: SnapshotUse,
): SnapshotError {
  const count = findings.length + findingsOmitted;
  const details = findings.slice(0, findingsShownMax).map(({ file, problem }) => `${file}: ${problem}`);
  if (count > details.length) details.push(`and ${counted(count - details.length, "more finding")}`);
  return new SnapshotError(
    codeOfFindings(findings),
    `${directory} fails verification (${counted(count, "finding")}), and was not ${participles[use]}`,
    { details, hint: `Run snapshot-assemble verify on it, and ${use} another snapshot.` },
  );
}
