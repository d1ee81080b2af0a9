/**
 * How fast the main job is: `npm run bench [megabytes]`.
 *
 * Three contenders against the same validators, which are a process of their own, in turn, five times:
 *
 * - `curl` of the same answers into `b2sum`: the limit that common tools reach
 * - the plain way: each answer fetched whole, parsed, merged in a map, sorted, stringified, hashed, written
 * - `snapshot-assemble`
 *
 * Once with validators that send canonical text, which is the usual case, once with keys in another order,
 * so that every record has to be parsed. A table, and JSON on the last line.
 */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { machine, median, say, time } from "./measure.js";
import { plainAssemble } from "./plain.js";

const run = promisify(execFile);
const rounds = 5;
const megabytes = Number(process.argv[2] ?? 200);
const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));
const server = fileURLToPath(new URL("./speed-server.js", import.meta.url));

const results = {};
for (const form of ["canonical", "unsorted"]) results[form] = await bench(form);
say(JSON.stringify({ machine, megabytes, results }));

async function bench(form) {
  const scratch = await mkdtemp(join(tmpdir(), "bench-speed-"));
  const child = spawn(process.execPath, [server, String(megabytes), form, scratch], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    const [line] = await once(child.stdout, "data");
    const { archiver, answers, timestamp } = JSON.parse(line.toString());
    const times = { curl: [], plain: [], ours: [] };
    let peakBytes = 0;
    for (let round = 0; round < rounds; round++) {
      times.curl.push(await time(() => curl(answers)));
      times.plain.push(await time(() => plainAssemble(answers, join(scratch, "plain"))));
      const out = join(scratch, `ours-${round}`);
      times.ours.push(
        await time(async () => {
          const args = ["--archiver", archiver, "--timestamp", String(timestamp), "--out", out, "--quiet"];
          peakBytes = Math.max(peakBytes, await peakOf([command, ...args]));
        }),
      );
      await rm(out, { recursive: true });
    }
    const [curlMs, plainMs, oursMs] = [median(times.curl), median(times.plain), median(times.ours)];
    const result = {
      curlMs,
      plainMs,
      oursMs,
      overCurl: round2(oursMs / curlMs),
      plainOver: round2(plainMs / oursMs),
      peakMB: Math.round(peakBytes / 1e6),
    };
    say(
      `${form.padEnd(10)} ${megabytes} MB: curl|b2sum ${curlMs} ms, the plain way ${plainMs} ms, ours ${oursMs} ms`,
    );
    say(
      `${" ".repeat(10)} ours ÷ curl ${result.overCurl}, the plain way ÷ ours ${result.plainOver}, peak ${result.peakMB} MB`,
    );
    return result;
  } finally {
    child.kill();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The same requests that the main job makes, into b2sum. */
async function curl(answers) {
  for (const { url, body } of answers) {
    await run("sh", [
      "-c",
      `curl -s -H content-type:application/json -d '${JSON.stringify(body)}' ${url} | b2sum`,
    ]);
  }
}

/**
 * Runs a Node script; answers the most memory that it held, in bytes. Its resource usage would do, were it not
 * that a process begins with what the one held that it was forked from.
 */
async function peakOf(args) {
  const report = `import { readFileSync } from "node:fs";
    const peak = () => /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
    process.on("exit", () => process.stderr.write("peak " + peak() + "\\n"));`;
  const preload = `data:text/javascript,${encodeURIComponent(report)}`;
  const { stderr } = await run(process.execPath, ["--import", preload, ...args]);
  return Number(/peak (\d+)/.exec(stderr)?.[1]) * 1024;
}

function round2(value) {
  return Math.round(value * 100) / 100;
}
