import { SnapshotDirectory } from "../store/snapshot-directory.ts";
import { checkSnapshot } from "../verify/check-snapshot.ts";
import type { Findings } from "../verify/findings.ts";

/**
 * Checks a published snapshot offline: artifacts, export data, network hash; every finding, not the first.
 *
 * @throws Failure `no-such-snapshot` where there is no manifest; whatever else is wrong is a finding
 */
export function verifySnapshot(directory: string): Promise<Findings> {
  return checkSnapshot(new SnapshotDirectory(directory));
}
