/** What the end of a response changes: what its peer is excluded from, and what the run has of partitions. */

import type { ResponseReport } from "../artifact/response-report.ts";
import { FetchError } from "../errors/fetch-error.ts";
import type { Partition, PeerIndex } from "../protocol/brands.ts";
import type { ByteBudget } from "./peers/byte-budget.ts";
import { costOf } from "./peers/error-costs.ts";
import type { PeerPool } from "./peers/peer-pool.ts";
import { type FailedResponse, isCutOff, recoveryOf } from "./peers/recovery.ts";
import { type Base, baseFor, type PartitionBases } from "./queries/partition-bases.ts";
import type { PartitionTasks } from "./queries/partition-tasks.ts";
import type { RequestInFlight } from "./queries/query.ts";

/** The parts of a run's state that the end of a response changes. */
interface RunParts {
  readonly task: { readonly hasOlder: boolean };
  readonly pool: PeerPool;
  readonly budget: ByteBudget;
  readonly tasks: PartitionTasks;
  readonly bases: PartitionBases;
  /** Whether the disk was full: then it has no space for beginnings. */
  readonly isLastShare: boolean;
}

/** Excludes a peer from what its response had wrong, or too much of. */
export function excludeFor(
  { pool, budget }: RunParts,
  peer: PeerIndex,
  { mismatched, outgrown }: ResponseReport,
): void {
  for (const { partition, expected, got } of mismatched) {
    const detail = `gave a partition with hash ${got}, expected ${expected}`;
    pool.exclude(peer, partition, { reason: "wrong", detail });
  }
  for (const { partition, bytes } of outgrown) budget.exclude(peer, partition, bytes);
}

/**
 * Drops the bases that did not fit, and keeps the beginnings that the response has left.
 *
 * @param completed what the response was to complete
 */
export function updateBases(
  { pool, budget, tasks, bases, isLastShare }: RunParts,
  peer: PeerIndex,
  report: ResponseReport,
  completed: ReadonlyMap<Partition, Base>,
): void {
  for (const { partition } of report.unfitBases) {
    const base = completed.get(partition);
    if (base !== undefined) bases.reject(partition, base);
  }
  for (const { partition } of report.mismatched) {
    const base = completed.get(partition);
    // Where the peer contradicts itself, the base of others may be right.
    if (base !== undefined && baseFor(base, peer).isOfPeer) bases.drop(partition, base);
  }
  for (const beginning of report.beginnings) {
    const { partition } = beginning;
    // Meanwhile another response may have given the partition.
    if (!tasks.isWanted(partition)) {
      bases.abandon(beginning);
      continue;
    }
    const bytesMax = isLastShare ? 0 : budget.responseBytes;
    const isKept = bases.begin(beginning, peer, completed.get(partition), bytesMax);
    // The next request has less to fetch: the peer may fail again.
    if (isKept) pool.forgive(peer);
  }
}

/** Counts the deltas that broke off with a response: unlike whole partitions, they leave no beginning. */
export function breakOffDeltas(
  bases: PartitionBases,
  { isDelta, begun, bases: completed }: RequestInFlight,
  error: FailedResponse["error"],
): void {
  if (!isDelta || !isCutOff(error)) return;
  for (const partition of begun) {
    const base = completed.get(partition);
    if (base !== undefined) bases.breakOff(partition, base);
  }
}

/** Notes the failure of a peer; `random` in [0, 1) is the jitter of its backoff. */
export function failPeer(
  { task, pool, budget }: RunParts,
  peer: PeerIndex,
  failed: FailedResponse,
  { atMs, random }: { readonly atMs: number; readonly random: number },
): void {
  const { error } = failed;
  const waitsForExports = !task.hasOlder || pool.hasGiven;
  const { retry, broken, outgrown } = recoveryOf(failed, waitsForExports, random);
  for (const partition of outgrown) budget.exclude(peer, partition, 0);
  if (broken !== undefined && pool.mayGive(peer, broken))
    pool.exclude(peer, broken, { reason: "broken", detail: error.message });
  const status = error instanceof FetchError ? error.status : undefined;
  const isCounted = costOf(error).retry !== "uncounted";
  pool.fail(peer, { message: error.message, status, isCounted }, retry, atMs);
}

/**
 * Returns what a peer is excluded from whose response has filled the disk: what it gave. Where no other response takes
 * space, first what it gave beside what was requested, since the rest may fit.
 */
export function filledBy({ begun, requested }: RequestInFlight, isAlone: boolean): Iterable<Partition> {
  const beside = [...begun].filter((partition) => !requested.has(partition));
  if (isAlone && beside.length > 0) return beside;
  return begun.size > 0 ? begun : requested;
}
