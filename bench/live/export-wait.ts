/**
 * Measures how long commits wait for exports: `npm run bench:export -- [accounts]`.
 *
 * Three validators, each of which stores all of 100,000 accounts, commit transactions ten times a second while they
 * export. Reports, for each validator, the duration of its export and the longest wait and duration of a commit
 * meanwhile. Prints a table, and JSON on the last line.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { ValidatorHealth } from "../../dist/testnet/validator/validator.js";
import { machine, print } from "../measure.ts";
import { type RunningCluster, startLiveCluster } from "./live-cluster.ts";

const accounts = process.argv[2] ?? "100000";
const cycleSeconds = 15;
const exportsPerValidator = 3;
/** Cycles beyond those of the exports, after which the measurement ends in any case. */
const spareCycles = 4;

const args = ["--nodes", "3", "--accounts", accounts, "--tx-rate", "200"];
args.push("--cycle-duration", `${cycleSeconds}s`, "--snapshot-every", "1");
const cluster = await startLiveCluster(args);
try {
  const deadlineMs = cluster.startMs + (exportsPerValidator + spareCycles) * cycleSeconds * 1000;
  const exportsMax = exportsPerValidator * cluster.nodes.length;
  while (retrieved(cluster).length < exportsMax && Date.now() < deadlineMs) await sleep(200);

  const rows = await Promise.all(cluster.nodes.map(({ index, url }) => measure(cluster, index, url)));
  for (const { validator, exportMs, longestWaitMs, longestCommitMs } of rows) {
    print(
      `validator ${validator}: exported ${accounts} accounts in ${exportMs} ms; the longest commit meanwhile waited ${longestWaitMs} ms and took ${longestCommitMs} ms`,
    );
  }
  const failed = cluster.events.filter(({ type }) => type === "export-failed");
  print(JSON.stringify({ machine, accounts: Number(accounts), rows, failed }));
} finally {
  await cluster.stop();
}

function retrieved({ events }: RunningCluster) {
  return events.filter((event) => event.type === "export-retrieved");
}

async function measure(from: RunningCluster, validator: number, url: string) {
  const response = await fetch(`${url}/healthz`);
  const { commits }: ValidatorHealth = JSON.parse(await response.text());
  if (commits === null) throw new Error(`validator ${validator} has not started`);
  const own = retrieved(from).filter((event) => event.validator === validator);
  return {
    validator,
    exports: own.length,
    exportMs: Math.round(Math.max(...own.map(({ durationMs }) => durationMs))),
    heldAfterMs: Math.round(Math.max(...own.map(({ startMs }) => startMs))),
    commits: commits.count,
    longestWaitMs: Math.round(commits.waitWhileExportingMaxMs * 10) / 10,
    longestCommitMs: Math.round(commits.commitWhileExportingMaxMs * 10) / 10,
  };
}
