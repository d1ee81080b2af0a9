/**
 * A cluster in a process of its own: `node cluster-process.js <fixture>`. Prints one line of JSON: the description of
 * the listening cluster, or the error. Ends on SIGTERM and SIGINT, and when its stdin is closed, which happens at any end
 * of its parent.
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
  print({ type: "cluster", ...description });
} catch (error) {
  const { code, hint } = error as { code?: string; hint?: string };
  print({ type: "error", code, message: messageOf(error), hint });
  exit(1);
}

function print(line: ClusterLine): void {
  stdout.write(`${JSON.stringify(line)}\n`);
}
