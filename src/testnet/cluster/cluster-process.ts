/**
 * A cluster in a process of its own: `node cluster-process.js <fixture>`. One line of JSON on stdout
 * says that it listens, or why it does not. It ends on SIGTERM and SIGINT, and when its stdin is closed,
 * which is what happens when its parent goes away, however it goes.
 */

import { argv, exit, stdin, stdout } from "node:process";
import { messageOf } from "../../errors/snapshot-error.ts";
import { startCluster } from "./cluster.ts";
import { loadFixture } from "./fixture.ts";
import type { ClusterLine } from "./spawn-cluster.ts";

const [, , fixtureName = "nine-honest"] = argv;

process.once("SIGTERM", () => exit(0));
process.once("SIGINT", () => exit(0));
stdin
  .on("error", () => exit(0))
  .on("end", () => exit(0))
  .resume();

try {
  const { stop: _stop, ...description } = await startCluster(await loadFixture(fixtureName));
  say({ type: "cluster", ...description });
} catch (error) {
  const { code, hint } = error as { code?: string; hint?: string };
  say({ type: "error", code, message: messageOf(error), hint });
  exit(1);
}

function say(line: ClusterLine): void {
  stdout.write(`${JSON.stringify(line)}\n`);
}
