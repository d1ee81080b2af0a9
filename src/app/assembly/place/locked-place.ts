/** Locks the place of a snapshot for one run, and checks the snapshot that is published there. */

import { messageOf, systemCodeOf } from "../../../errors/snapshot-error.ts";
import type { ExportData } from "../../../format/export-data.ts";
import { removeLeftovers } from "../../../store/leftovers.ts";
import { acquireRunLock, type RunLock } from "../../../store/run-lock.ts";
import {
  lockPath,
  publishedPath,
  removePartial,
  restoreReplaced,
  syncPublished,
} from "../../../store/snapshot-place.ts";
import type { Candidate } from "../../../trust/read-network.ts";
import type { Findings } from "../../../verify/findings/findings.ts";
import type { Run } from "../assembly-run.ts";
import { describeDamage, findPublished, type Published, type PublishedOptions } from "./published.ts";

export type LockOutcome =
  | { readonly kind: "locked"; readonly lock: RunLock }
  /** The place is read-only, and the snapshot that is published there is correct. */
  | { readonly kind: "published"; readonly findings: Findings };

/**
 * Locks the place of a snapshot, and inspects what is there.
 *
 * @throws SnapshotError `locked` if another run works on the snapshot, `disk`
 */
export async function lockPlace({ settings }: Run, data: ExportData): Promise<LockOutcome> {
  const { out } = settings.output;
  try {
    return { kind: "locked", lock: await acquireRunLock(lockPath({ out, timestamp: data.timestamp })) };
  } catch (error) {
    if (!isReadOnly(error)) throw error;
    const published = await findPublished(out, data, publishedOptions(settings)).catch(() => undefined);
    if (published?.state !== "right") throw error;
    return { kind: "published", findings: published.findings };
  }
}

export async function releasePlace({ log }: Run, lock: RunLock): Promise<void> {
  const unreleased = await lock.release();
  if (unreleased !== undefined) log.warn(unreleased.message);
}

/**
 * Restores a replaced snapshot, removes the leftovers of earlier runs, and checks the published snapshot.
 *
 * @param candidates boundaries that this run may still try, whose partial snapshots are kept
 */
export async function checkPlace(
  { settings, log }: Run,
  data: ExportData,
  candidates: readonly Candidate[],
): Promise<Published> {
  const { out } = settings.output;
  const spot = { out, timestamp: data.timestamp };
  await restoreReplaced(spot);
  const kept = new Set(candidates.map(({ timestamp }) => timestamp));
  for (const { message } of await removeLeftovers(out, kept)) log.warn(message);
  const published = await findPublished(out, data, publishedOptions(settings));
  if (published.state === "right") {
    await syncPublished(spot);
    await removePartial(spot).catch((error: unknown) => log.warn(messageOf(error)));
  }
  if (published.state === "damaged") {
    log.record({ type: "damaged", files: published.damage });
    log.warn(describeDamage(publishedPath(spot), published.damage, published.omitted));
  }
  return published;
}

/** Whether the place is read-only. SQLite cannot open a lock file that it may not write to. */
function isReadOnly(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code !== undefined && readOnlyCodes.has(code);
}

const readOnlyCodes = new Set(["EROFS", "EACCES", "EPERM", "SQLITE_READONLY", "SQLITE_CANTOPEN"]);

function publishedOptions({ agreement, signal }: Run["settings"]): PublishedOptions {
  return { quorum: agreement.quorum, signal };
}
