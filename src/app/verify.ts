/** Verifies a published snapshot offline. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { path } from "../options/kinds.ts";
import { type OptionChecks, requireOptions } from "../options/option-check.ts";
import { checksOf } from "../options/option-row.ts";
import { verifyTable } from "../options/verify-table.ts";
import { checkSnapshot, type VerifyOptions } from "../verify/check-snapshot.ts";
import type { Findings } from "../verify/findings/findings.ts";

export type { VerifyOptions };

const verifyChecks: OptionChecks<VerifyOptions> = checksOf(verifyTable);

/**
 * Checks a published snapshot: the artifacts, the export data, the network hash, the signed votes and the cycle chain.
 * Returns every problem as a finding.
 *
 * @throws SnapshotError `no-such-snapshot` if the directory has no manifest, `disk` if a file cannot be read,
 *   `configuration` if the auditor's node list cannot be read, `usage` if an option is invalid
 */
export async function verifySnapshot(directory: string, options: VerifyOptions = {}): Promise<Findings> {
  requireOptions("verifySnapshot", options, verifyChecks);
  if (!path.accepts(directory)) {
    throw new SnapshotError("usage", `verifySnapshot(): invalid directory: expected ${path.expected}`);
  }
  return await checkSnapshot(directory, options);
}
