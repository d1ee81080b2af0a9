/** The failure of a run that could not assemble the snapshot of any boundary. */

import { errorOf, type Problem } from "../../../errors/problem.ts";
import { SnapshotError, type SnapshotErrorCode } from "../../../errors/snapshot-error.ts";
import { latestSettleCycles, latestSettleMs } from "../../../limits/network.ts";
import { cycleEndMs } from "../../../protocol/cycle-record.ts";
import type { Boundary } from "../../../trust/chain/boundary.ts";

/**
 * Returns the failure of the newest boundary. If no boundary of `latest` is held or agreed on, the failure is
 * temporary, because a newer one will be.
 *
 * @param problems why each boundary is unavailable, in their order
 * @param boundaries newest first
 */
export function noCandidateError(
  problems: readonly Problem[],
  boundaries: readonly Boundary[],
  isLatest: boolean,
  nowMs: number,
): SnapshotError {
  const [first] = problems;
  const [newest] = boundaries;
  if (first === undefined || newest === undefined) throw new Error("no boundary was tried");
  const failure = errorOf(first);
  if (!isLatest) return failure;
  if (
    problems.some(({ code }) => code === "gone") &&
    problems.every(({ code }) => temporaryCodes.has(code))
  ) {
    const from = boundaries.at(-1)?.cycle.counter ?? newest.cycle.counter;
    const problem = `the validators hold no snapshot of cycles ${from} to ${newest.cycle.counter}`;
    return new SnapshotError("temporary", problem, {
      cause: failure,
      hint: "Run again after the next cycle that is marked for a snapshot.",
    });
  }
  const isSettling = nowMs - cycleEndMs(newest.cycle) < settleMs(newest);
  if (failure.code !== "no-agreement" || !isSettling) return failure;
  return new SnapshotError("temporary", failure.message, {
    cause: failure,
    hint: `That cycle ended less than ${Math.ceil(settleMs(newest) / 1000)} s ago: run again in a minute. ${failure.hint ?? ""}`.trim(),
  });
}

const temporaryCodes: ReadonlySet<SnapshotErrorCode> = new Set(["gone", "temporary", "no-agreement"]);

/** Returns the time after the end of a cycle in which validators may still hash it and send votes. */
function settleMs({ cycle }: Boundary): number {
  return Math.max(latestSettleMs, latestSettleCycles * cycle.duration * 1000);
}
