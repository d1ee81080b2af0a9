/**
 * Whether exports hold up commits: `npm run bench:export [accounts]`.
 *
 * Three validators, each of which stores all of 100,000 accounts, commit transactions ten times a second while
 * all of them export. Reported for each: how long its export took, from the beginning until the state was held and
 * until all was written, and the longest that a commit had to wait, and took, meanwhile. A table, and JSON on the
 * last line.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { machine, say } from "./measure.js";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));
const accounts = process.argv[2] ?? "100000";
const cycleSeconds = 15;
const exports = 3;

const args = ["cluster", "--live", "--json", "--nodes", "3", "--accounts", accounts, "--tx-rate", "200"];
args.push("--cycle-duration", `${cycleSeconds}s`, "--snapshot-every", "1");
const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "inherit"] });
const events = [];
const cluster = await new Promise((resolve) => {
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = JSON.parse(line);
    if (event.type === "cluster") resolve(event);
    else events.push(event);
  });
});
const exported = () => events.filter(({ type }) => type === "export-retrieved");
const deadline = cluster.startMs + (exports + 4) * cycleSeconds * 1000;
while (exported().length < exports * cluster.nodes.length && Date.now() < deadline) await sleep(200);

const rows = await Promise.all(
  cluster.nodes.map(async ({ index, url }) => {
    const { commits } = await (await fetch(`${url}/healthz`)).json();
    const own = exported().filter(({ validator }) => validator === index);
    return {
      validator: index,
      exports: own.length,
      exportMs: Math.round(Math.max(...own.map(({ durationMs }) => durationMs))),
      heldAfterMs: Math.round(Math.max(...own.map(({ startMs }) => startMs))),
      commits: commits.count,
      longestWaitMs: Math.round(commits.waitWhileExportingMaxMs * 10) / 10,
      longestCommitMs: Math.round(commits.commitWhileExportingMaxMs * 10) / 10,
    };
  }),
);
child.kill("SIGINT");
await once(child, "exit");
for (const { validator, exportMs, longestWaitMs, longestCommitMs } of rows) {
  say(
    `validator ${validator}: ${accounts} accounts exported in ${exportMs} ms; meanwhile a commit waited ${longestWaitMs} ms and took ${longestCommitMs} ms at the longest`,
  );
}
say(
  JSON.stringify({
    machine,
    accounts: Number(accounts),
    rows,
    failed: events.filter(({ type }) => type === "export-failed"),
  }),
);
