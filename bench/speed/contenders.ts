/**
 * Runs contenders for the time of an assembly against the same validators, in turns: `curl` of the same responses
 * into `b2sum`, the baseline implementation, and `snapshot-assemble`.
 */

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { median, print, timeMs } from "../measure.ts";
import { measuredRun } from "../measured-run.ts";
import { plainAssemble } from "./plain-assemble.ts";
import { type RecordForm, type SnapshotQuery, startStaticNetwork } from "./static-network-process.ts";

const run = promisify(execFile);
const rounds = 5;

export type Contender = "curl" | "plain" | "ours";

export interface Contest {
  readonly megabytes: number;
  readonly form: RecordForm;
  readonly nodes: number;
}

export interface ContestResult extends Contest {
  /** The times of each contender in milliseconds. */
  readonly times: Readonly<Record<Contender, readonly number[]>>;
  /** The peak memory of `snapshot-assemble`. */
  readonly peakBytes: number;
}

export async function runContest(
  { megabytes, form, nodes }: Contest,
  contenders: readonly Contender[],
): Promise<ContestResult> {
  const scratch = await mkdtemp(join(tmpdir(), "bench-speed-"));
  const { network, stop } = await startStaticNetwork({ megabytes, form, nodes, directory: scratch });
  try {
    const times: Record<Contender, number[]> = { curl: [], plain: [], ours: [] };
    let peakBytes = 0;
    const actions = {
      curl: () => curl(network.queries),
      plain: () => plainAssemble(network.queries, network.numNodes, join(scratch, "plain")),
      ours: async () => {
        const { archiver, timestamp } = network;
        const flags = [
          "--archiver",
          archiver,
          "--timestamp",
          String(timestamp),
          "--out",
          join(scratch, "ours"),
        ];
        peakBytes = Math.max(peakBytes, (await measuredRun(flags)).peakBytes);
      },
    };
    for (let round = 0; round < rounds; round++) {
      for (const name of contenders) {
        times[name].push(await timeMs(actions[name]));
        await rm(join(scratch, "ours"), { recursive: true, force: true });
      }
    }
    const result = { megabytes, form, nodes, times, peakBytes };
    for (const name of contenders) print(lineOf(result, name));
    return result;
  } finally {
    await stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

export function medianOf({ times }: ContestResult, name: Contender): number {
  return median(times[name]);
}

function lineOf(result: ContestResult, name: Contender): string {
  const { megabytes, form, nodes, times } = result;
  const sorted = times[name].map(Math.round).sort((a, b) => a - b);
  return `  ${megabytes} MB, ${nodes} nodes, ${form}: ${name.padEnd(5)} ${medianOf(result, name)} ms (${sorted.join(", ")})`;
}

/** Pipes the responses to the requests of an assembly into b2sum. */
async function curl(queries: readonly SnapshotQuery[]): Promise<void> {
  for (const { url, body } of queries) {
    const request = `curl -s -H content-type:application/json -d '${JSON.stringify(body)}' ${url}`;
    await run("sh", ["-c", `${request} | b2sum`]);
  }
}
