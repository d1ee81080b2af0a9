/**
 * Reads a complete snapshot back before it is published, with the code that `verify` checks it with. What was right
 * in memory may have been written in another form: a snapshot that fails its own check must not be published.
 */

import type { Quorum } from "../agreement/vote-tally.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { counted } from "../text/counted.ts";
import { checkWithoutArtifacts } from "./check-snapshot.ts";
import { codeOfFindings } from "./findings/finding-code.ts";
import type { FindingKind } from "./findings/findings.ts";

export interface ReadBackOptions {
  /** The rule that the votes were counted by. */
  readonly quorum: Quorum | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What differs from what was written, so that the disk is to blame, or somebody who writes there too. */
const ofDisk: ReadonlySet<FindingKind> = new Set([
  "manifest",
  "export-data",
  "digest",
  "artifact-missing",
  "artifact-unreadable",
  "totals",
  "run-record",
  "extra-file",
  "evidence",
]);

/**
 * Artifacts are not read again: they were hashed while they were written. But each must be a regular file there.
 *
 * @throws SnapshotError `disk` where the files are not those that were written, else with the code that `verify` ends with
 */
export async function requireReadsBack(
  directory: string,
  { quorum, signal }: ReadBackOptions,
): Promise<void> {
  const { findings, findingsOmitted } = await checkWithoutArtifacts(directory, { quorum, signal });
  const [first] = findings;
  if (first === undefined) return;
  const count = findings.length + findingsOmitted;
  const more = count > 1 ? ` (and ${counted(count - 1, "more finding")})` : "";
  const problem = `the snapshot fails its own check and is not published: ${first.file}: ${first.problem}${more}`;
  const isDisk = findings.every(({ kind }) => ofDisk.has(kind));
  throw new SnapshotError(isDisk ? "disk" : codeOfFindings(findings), problem, {
    hint: `Look at ${directory}, whose partitions are kept for the next run; run again, and report it if it happens again.`,
  });
}
