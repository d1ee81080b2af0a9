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
 * Checks a published snapshot: artifacts, export data, network hash; the signed votes, counted again; the
 * cycle chain. Reports every finding.
 *
 * @throws SnapshotError `no-such-snapshot` where there is no manifest, `disk` where a file cannot be read, `configuration`
 *   where the auditor's own list cannot be, `usage` where an option is unusable; whatever else is wrong is a finding
 */
export async function verifySnapshot(directory: string, options: VerifyOptions = {}): Promise<Findings> {
  requireOptions("verifySnapshot", options, verifyChecks);
  if (!path.accepts(directory)) {
    throw new SnapshotError(
      "usage",
      `verifySnapshot(): the directory is not usable: expected ${path.expected}`,
    );
  }
  return await checkSnapshot(directory, options);
}
