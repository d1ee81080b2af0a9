/** `npm run simulate -- --seeds 10000 [--seed <base>] [--threads <n>] [--bail]`: many simulated runs, on all cores. Exits with 1 on a finding. */

import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Simulation, simulate } from "./simulate.ts";

/** A share of the runs: every `step`-th from `first` on. */
interface Share {
  readonly base: string;
  readonly first: number;
  readonly step: number;
  readonly seeds: number;
  /** The number of runs with findings after which the share ends. */
  readonly failedMax: number;
}

interface Totals {
  runs: number;
  complete: number;
  virtualMs: number;
  requests: number;
  failed: Simulation[];
}

async function runShare({ base, first, step, seeds, failedMax }: Share): Promise<Totals> {
  const totals: Totals = { runs: 0, complete: 0, virtualMs: 0, requests: 0, failed: [] };
  for (let run = first; run < seeds; run += step) {
    const simulation = await simulate(`${base}/${run}`);
    totals.runs++;
    if (simulation.outcome === "complete") totals.complete++;
    totals.virtualMs += simulation.virtualMs;
    totals.requests += simulation.requests;
    if (simulation.findings.length > 0) totals.failed.push(simulation);
    if (totals.failed.length === failedMax) break;
  }
  return totals;
}

const usage = `Usage: npm run simulate -- [options]

Simulates runs of the scheduler over virtual peers, and checks each. Exits with 1 if a check fails.

Options:
  --seeds <n>     number of runs (default: 10000)
  --seed <base>   base seed: run n has the seed <base>/<n> (default: random)
  --threads <n>   number of threads (default: one for each core)
  --bail          end with the first run that fails a check
  --help          print this text
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      seed: { type: "string" },
      threads: { type: "string" },
      bail: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  const seeds = countOf("--seeds", values.seeds ?? "10000");
  const base = values.seed ?? randomBytes(4).toString("hex");
  const startedMs = performance.now();
  const failedMax = values.bail === true ? 1 : 5;
  const step = countOf("--threads", values.threads ?? String(availableParallelism()));
  const threads = Array.from({ length: step }, (_, first) =>
    startThread({ base, first, step, seeds, failedMax }),
  );
  const shares =
    values.bail === true ? await firstFailed(threads) : await Promise.all(threads.map(({ ended }) => ended));
  const sum = (figure: (totals: Totals) => number) => shares.reduce((all, totals) => all + figure(totals), 0);
  const failed = shares.flatMap((totals) => totals.failed);
  for (const { seed, findings } of failed)
    for (const finding of findings) process.stdout.write(`seed ${seed}: ${finding}\n`);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const hours = Math.round(sum(({ virtualMs }) => virtualMs) / 3_600_000);
  process.stdout.write(
    `base seed ${base}: ${sum(({ runs }) => runs)} runs, ${sum(({ complete }) => complete)} complete, ` +
      `${sum(({ requests }) => requests)} requests, ${hours} virtual hours in ${seconds} s, ` +
      `${failed.length} with findings\n`,
  );
  if (failed.length > 0) process.exitCode = 1;
}

function countOf(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`${option}: expected a count, got ${text}`);
  return count;
}

interface Thread {
  readonly worker: Worker;
  readonly ended: Promise<Totals>;
}

function startThread(share: Share): Thread {
  const worker = new Worker(new URL(import.meta.url), { workerData: share });
  const ended = new Promise<Totals>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return { worker, ended };
}

/** Ends the other threads as soon as one has a finding. */
async function firstFailed(threads: readonly Thread[]): Promise<Totals[]> {
  const failed = threads.map(async ({ ended }) => {
    const totals = await ended;
    if (totals.failed.length === 0) throw new Error("no finding");
    return [totals];
  });
  try {
    return await Promise.any(failed);
  } catch {
    return await Promise.all(threads.map(({ ended }) => ended));
  } finally {
    for (const { worker } of threads) await worker.terminate();
  }
}

if (isMainThread) await main();
else parentPort?.postMessage(await runShare(workerData as Share));
