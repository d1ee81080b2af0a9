/** A snapshot that is in its place already, whole and right, need not be made again. */

import type { Quorum } from "../gossip/collector.ts";
import { type ExportData, exportDataDigest } from "../model/export-data.ts";
import { isPublished, publishedPath } from "../store/partial-snapshot.ts";
import type { Findings } from "../verify/findings.ts";
import { verifySnapshot } from "./verify-snapshot.ts";

/**
 * What is published there, if a full check finds it to be the snapshot of these data.
 *
 * @param quorum the rule that votes are counted by
 * @throws Failure `disk` where it is another user's: what is right now need not stay so
 */
export async function findPublished(
  out: string,
  data: ExportData,
  quorum?: Quorum,
): Promise<Findings | undefined> {
  const directory = publishedPath({ out, timestamp: data.timestamp });
  if (!(await isPublished({ out, timestamp: data.timestamp }))) return undefined;
  const findings = await verifySnapshot(directory, { quorum }).catch(() => undefined);
  return findings?.ok === true && findings.digest === exportDataDigest(data) ? findings : undefined;
}
