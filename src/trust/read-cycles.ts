/** Reads as many cycle records as are needed, and checks that they form one chain. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { type CycleRecord, cycleEndMs } from "../protocol/cycle-record.ts";
import { counted, isOrAre } from "../text/counted.ts";
import { type CycleRecords, parseCycleRecords } from "../wire/cycle-records.ts";
import { describeRowProblems } from "../wire/row-problems.ts";
import { checkChain } from "./chain/cycle-chain.ts";
import type { SnapshotTime } from "./chain/timestamp.ts";
import { type ListContext, type Received, readList } from "./list-source.ts";
import type { ListSources } from "./network-options.ts";
import { readOlderCycles } from "./older-cycles.ts";

/** The number of cycle records in the first request: enough for recent snapshots, in a small response. */
const FIRST_RECORDS = 100;

/**
 * Reads the newest records, back to the cycle of the given time.
 *
 * @throws SnapshotError
 */
export async function readCycles(
  sources: ListSources,
  time: SnapshotTime,
  context: ListContext,
): Promise<Received<CycleRecords>> {
  const path = `cycleinfo/${FIRST_RECORDS}`;
  const request = { file: sources.cycles, path, ifUnsigned: "chain" } as const;
  const newest = await readList(request, sources, context, parseCycleRecords);
  const missing = missingBefore(newest.records, time);
  const first = (newest.records[0]?.counter ?? 0) - missing;
  const cycles = missing > 0 ? await readOlderCycles(newest, first, sources, context) : newest;
  const { skipped } = cycles;
  if (skipped.count > 0) {
    context.warn(
      `${counted(skipped.count, "cycle record")} ${isOrAre(skipped.count)} left out: ${describeRowProblems(skipped)}`,
    );
  }
  requireUnbroken(cycles.records, context);
  return cycles;
}

/**
 * Extends known records back to a given cycle, as far as the archiver has them.
 *
 * @throws SnapshotError
 */
export async function extendCycles(
  known: Received<CycleRecords>,
  first: number,
  sources: ListSources,
  context: ListContext,
): Promise<Received<CycleRecords>> {
  const cycles = await readOlderCycles(known, first, sources, context);
  if (cycles !== known) requireUnbroken(cycles.records, { ...context, warn: () => undefined });
  return cycles;
}

/** Returns how many records before the oldest one are needed, with a few to spare. */
function missingBefore(records: readonly CycleRecord[], time: SnapshotTime): number {
  const oldest = records[0];
  if (oldest === undefined || time.kind === "latest") return 0;
  const spare = 2;
  if (time.kind === "cycle") return time.counter < oldest.counter ? oldest.counter - time.counter + spare : 0;
  const beforeMs = cycleEndMs(oldest) - time.timestamp;
  return beforeMs > 0 ? Math.ceil(beforeMs / (oldest.duration * 1000)) + spare : 0;
}

function requireUnbroken(records: readonly CycleRecord[], { hashKey, warn }: ListContext): void {
  const findings = checkChain(records, hashKey);
  const broken = findings.find((finding) => finding.severity === "broken");
  if (broken !== undefined) {
    throw new SnapshotError("chain", `the cycle chain is broken: ${broken.problem}`, {
      hint: "Use another archiver, and check --hash-key: with a wrong key, every record is broken.",
    });
  }
  const [first, ...others] = findings;
  if (first !== undefined) {
    warn(
      `the cycle chain: ${first.problem}${others.length > 0 ? `, and ${counted(others.length, "more gap")}` : ""}`,
    );
  }
}
