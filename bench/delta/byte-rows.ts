/** Rows for the bytes and requests of deltas and of responses that break off, of small clusters. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchRow, round3 } from "../bench-row.ts";
import { print } from "../measure.ts";
import type { MeasuredRun } from "../measured-run.ts";
import {
  assembleCluster,
  type ClusterShape,
  changedBytes,
  type Description,
  describe,
  describeOlder,
  stateBytes,
} from "./changing-cluster.ts";

const shares = [0.001, 0.01, 0.1];

export interface MeasuredRows {
  readonly rows: readonly BenchRow[];
  /** The greatest peak memory of the runs. */
  readonly peakBytes: number;
}

export async function byteRows(megabytes: number): Promise<MeasuredRows> {
  const scratch = await mkdtemp(join(tmpdir(), "bench-delta-"));
  try {
    const rows: BenchRow[] = [];
    const runs: MeasuredRun[] = [];
    const take = ({ row, run }: { row: BenchRow; run: MeasuredRun }) => {
      rows.push(row);
      runs.push(run);
      print(`  ${row.what}: ${row.measured}, peak ${Math.round(run.peakBytes / 1e6)} MB`);
    };
    for (const sinceNodes of [9, 100]) {
      const seed = await assembleSeed({ megabytes, sinceNodes }, scratch);
      for (const nodes of [sinceNodes, sinceNodes + 1, Math.round(0.9 * sinceNodes)]) {
        for (const changed of shares) {
          take(await deltaRow({ megabytes, nodes, sinceNodes, changed }, scratch, seed));
        }
        take(await unchangedRow({ megabytes, nodes, sinceNodes, changed: 0 }, scratch, seed));
      }
      await rm(join(scratch, "older"), { recursive: true });
    }
    for (const nodes of [3, 9]) {
      const shape = { megabytes, nodes, sinceNodes: nodes, changed: 0, faults: ["*:break-half"] };
      take(await brokenRow(shape, scratch));
    }
    return { rows, peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Returns the directory of the older snapshot. */
async function assembleSeed(
  { megabytes, sinceNodes }: Pick<ClusterShape, "megabytes" | "sinceNodes">,
  scratch: string,
): Promise<string> {
  const description = describeOlder({ megabytes, nodes: sinceNodes, sinceNodes, changed: 0 });
  const { summary } = await assembleCluster(description, scratch, ["--out", join(scratch, "older")]);
  return summary.directory ?? "";
}

async function deltaRow(shape: ClusterShape, scratch: string, seed: string) {
  const description = describe(shape);
  const run = await assembleOnce(description, scratch, ["--seed", seed]);
  const { bytes, queries } = run.summary;
  const changed = changedBytes(description);
  const row: BenchRow = {
    what: `bytes received ÷ bytes of changed accounts, ${memberships(shape)}, ${100 * shape.changed} % changed`,
    atLeast: "≤ 1.15",
    aim: "1.02",
    measured: round3(bytes.received / changed),
    note: `${bytes.received} of ${changed} bytes, ${queries.length} queries`,
  };
  return { row, run };
}

async function unchangedRow(shape: ClusterShape, scratch: string, seed: string) {
  const run = await assembleOnce(describe(shape), scratch, ["--seed", seed]);
  const row: BenchRow = {
    what: `nothing changed: requests for accounts, ${memberships(shape)}`,
    atLeast: "0",
    aim: "",
    measured: run.summary.queries.length,
    note: `${run.summary.bytes.received} bytes`,
  };
  return { row, run };
}

async function brokenRow(shape: ClusterShape, scratch: string) {
  const description = describe(shape);
  const run = await assembleOnce(description, scratch, ["--seed", "none"]);
  const { bytes, queries } = run.summary;
  const state = stateBytes(description);
  const row: BenchRow = {
    what: `every response broken off half-way: bytes received ÷ state, ${shape.nodes} nodes`,
    atLeast: "≤ 1.10",
    aim: "1.00",
    measured: round3(bytes.received / state),
    note: `${bytes.received} of ${state} bytes, ${queries.length} queries, ${Math.round(run.ms)} ms`,
  };
  return { row, run };
}

async function assembleOnce(
  description: Description,
  scratch: string,
  flags: readonly string[],
): Promise<MeasuredRun> {
  const out = join(scratch, "out");
  const run = await assembleCluster(description, scratch, [...flags, "--out", out]);
  await rm(out, { recursive: true });
  return run;
}

function memberships({ nodes, sinceNodes }: ClusterShape): string {
  return nodes === sinceNodes ? `${nodes} nodes` : `${sinceNodes} → ${nodes} nodes`;
}
