/** Why none of the boundaries came to a snapshot that were tried. */

import { SnapshotError, type SnapshotErrorCode } from "../../../errors/snapshot-error.ts";
import { latestSettleCycles, latestSettleMs } from "../../../limits/network.ts";
import { cycleEndMs } from "../../../protocol/cycle-record.ts";
import type { Boundary } from "../../../trust/chain/boundary.ts";

/**
 * The failure of the newest boundary is what is wrong with what was meant. But of several, none of which is held or
 * agreed on yet, a newer one will be: that is temporary.
 *
 * @param failures of the boundaries, in their order
 * @param boundaries the newest first
 */
export function noCandidateError(
  failures: readonly SnapshotError[],
  boundaries: readonly Boundary[],
  isLatest: boolean,
  nowMs: number,
): SnapshotError {
  const [failure] = failures;
  const [newest] = boundaries;
  if (failure === undefined || newest === undefined) throw new Error("no boundary was tried");
  if (!isLatest) return failure;
  if (failures.some(({ code }) => code === "gone") && failures.every(({ code }) => passing.has(code))) {
    const from = boundaries.at(-1)?.cycle.counter ?? newest.cycle.counter;
    const problem = `the validators hold no snapshot of the boundaries that were tried (cycles ${from} to ${newest.cycle.counter})`;
    return new SnapshotError("temporary", problem, {
      cause: failure,
      hint: "Try again after the next cycle that is marked for a snapshot.",
    });
  }
  const isSettling = nowMs - cycleEndMs(newest.cycle) < settleMs(newest);
  if (failure.code !== "no-agreement" || !isSettling) return failure;
  return new SnapshotError("temporary", failure.message, {
    cause: failure,
    hint: `That cycle ended less than ${Math.ceil(settleMs(newest) / 1000)} s ago: try again in a minute. ${failure.hint ?? ""}`.trim(),
  });
}

const passing: ReadonlySet<SnapshotErrorCode> = new Set(["gone", "temporary", "no-agreement"]);

/** How long after its end a cycle may still be hashed, and its votes be on their way. */
function settleMs({ cycle }: Boundary): number {
  return Math.max(latestSettleMs, latestSettleCycles * cycle.duration * 1000);
}
