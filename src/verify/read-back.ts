/**
 * Reads a complete snapshot back before it is published, with the checks of `verify`: data that is correct in memory may
 * be written incorrectly. A snapshot that fails its own check is not published.
 */

import type { Quorum } from "../agreement/vote-tally.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { counted } from "../text/counted.ts";
import { checkWithoutArtifacts } from "./check-snapshot.ts";
import { codeOfFindings } from "./findings/finding-code.ts";
import type { FindingKind } from "./findings/findings.ts";

export interface ReadBackOptions {
  /** The quorum rule that the votes were counted under. */
  readonly quorum: Quorum | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Findings about files that differ from what was written: the disk or another program changed them. */
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
 * Checks a snapshot. Artifacts are not read again, because they were hashed while they were written, but each must be a
 * regular file.
 *
 * @throws SnapshotError `disk` if the files differ from what was written, else with the code of `verify`
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
    hint: `The partitions in ${directory} are kept for the next run. Run again, and report the problem if it persists.`,
  });
}
