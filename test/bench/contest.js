/**
 * Contenders for the time of the main job, by turns against the same validators, which are a process of their
 * own: `curl` of the same answers into `b2sum`, the plain way, and `snapshot-assemble`.
 */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median, say, time } from "./measure.js";
import { plainAssemble } from "./plain.js";

const run = promisify(execFile);
const rounds = 5;
const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));
const server = fileURLToPath(new URL("./speed-server.js", import.meta.url));

/**
 * The times of each contender in milliseconds, and the most memory that the main job held, in bytes.
 *
 * @param setting `{ megabytes, form, nodes, contenders }`
 */
export async function contest({ megabytes, form, nodes, contenders }) {
  const scratch = await mkdtemp(join(tmpdir(), "bench-speed-"));
  const args = [server, String(megabytes), form, scratch, String(nodes)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [line] = await once(child.stdout, "data");
    const network = JSON.parse(line.toString());
    const times = Object.fromEntries(contenders.map((name) => [name, []]));
    let peakBytes = 0;
    const actions = {
      curl: () => curl(network.answers),
      plain: () => plainAssemble(network.answers, network.numNodes, join(scratch, "plain")),
      ours: async () => {
        peakBytes = Math.max(peakBytes, await assemble(network, join(scratch, "ours")));
      },
    };
    for (let round = 0; round < rounds; round++) {
      for (const name of contenders) {
        times[name].push(await time(actions[name]));
        await rm(join(scratch, "ours"), { recursive: true, force: true });
      }
    }
    const result = { megabytes, form, nodes, times, peakBytes };
    for (const name of contenders) say(described(result, name));
    return result;
  } finally {
    child.kill();
    await rm(scratch, { recursive: true, force: true });
  }
}

export function medianOf({ times }, name) {
  return median([...times[name]]);
}

function described({ megabytes, form, nodes, times }, name) {
  const all = times[name].map(Math.round).sort((a, b) => a - b);
  return `  ${megabytes} MB, ${nodes} nodes, ${form}: ${name.padEnd(5)} ${median([...all])} ms (${all.join(", ")})`;
}

/** The same requests that the main job makes, into b2sum. */
async function curl(answers) {
  for (const { url, body } of answers) {
    const request = `curl -s -H content-type:application/json -d '${JSON.stringify(body)}' ${url}`;
    await run("sh", ["-c", `${request} | b2sum`]);
  }
}

/**
 * Runs the main job; answers the most memory that it held, in bytes. Its resource usage would do, were it not
 * that a process begins with what the one held that it was forked from.
 */
async function assemble({ archiver, timestamp }, out) {
  const report = `import { readFileSync } from "node:fs";
    const peak = () => /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
    process.on("exit", () => process.stderr.write("peak " + peak() + "\\n"));`;
  const preload = `data:text/javascript,${encodeURIComponent(report)}`;
  const flags = ["--archiver", archiver, "--timestamp", String(timestamp), "--out", out, "--quiet"];
  const { stderr } = await run(process.execPath, ["--import", preload, command, ...flags]);
  return Number(/peak (\d+)/.exec(stderr)?.[1]) * 1024;
}
