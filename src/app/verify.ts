/** Verifies a published snapshot offline. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { nodesMax } from "../limits/limits.ts";
import * as check from "../options/option-check.ts";
import { checkSnapshot, type VerifyOptions } from "../verify/check-snapshot.ts";
import { isSubset } from "../verify/files/subset.ts";
import type { Findings } from "../verify/findings/findings.ts";

export type { VerifyOptions };

const verifyChecks: check.OptionChecks<VerifyOptions> = {
  trustNodeList: check.path,
  trustMarker: check.hexKey,
  archiverKey: check.hexKey,
  nodesPerConsensusGroup: check.wholeNumber(1, nodesMax),
  nodesPerEdge: check.wholeNumber(0, nodesMax),
  quorum: check.oneOf("majority", "popular"),
  require: check.oneOf("proved", "told"),
  subset: {
    accepts: isSubset,
    expected: "{ oneIn, first } with 0 <= first < oneIn, or { percent, seed } with 0 < percent <= 100",
  },
  signal: check.abortSignal,
};

/**
 * Checks a published snapshot: artifacts, export data, network hash; the signed votes, counted again; the
 * cycle chain. Reports every finding.
 *
 * @throws SnapshotError `no-such-snapshot` where there is no manifest, `disk` where a file cannot be read, `configuration`
 *   where the auditor's own list cannot be, `usage` where an option is unusable; whatever else is wrong is a finding
 */
export async function verifySnapshot(directory: string, options: VerifyOptions = {}): Promise<Findings> {
  check.requireOptions("verifySnapshot", options, verifyChecks);
  if (!check.path.accepts(directory)) {
    throw new SnapshotError(
      "usage",
      `verifySnapshot(): the directory is not usable: expected ${check.path.expected}`,
    );
  }
  return await checkSnapshot(directory, options);
}
