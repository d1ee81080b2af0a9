/** A live cluster of the command line, in a process of its own. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { LiveClusterDescription, LiveEvent } from "../../dist/testnet/live/live-description.js";
import { commandPath, end } from "../command.ts";

/** A line that `cluster --live --json` prints. */
type Line = LiveEvent | ({ readonly type: "cluster" } & LiveClusterDescription);

export interface RunningCluster extends LiveClusterDescription {
  /** The events so far; it grows. */
  readonly events: readonly LiveEvent[];
  stop(): Promise<void>;
}

/** @param args further arguments of `cluster --live --json` */
export async function startLiveCluster(args: readonly string[]): Promise<RunningCluster> {
  const child = spawn(process.execPath, [commandPath, "cluster", "--live", "--json", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const events: LiveEvent[] = [];
  const listening = new Promise<LiveClusterDescription>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line: Line = JSON.parse(text);
      if (line.type === "cluster") resolve(line);
      else events.push(line);
    });
  });
  const ended = once(child, "exit").then(() =>
    Promise.reject(new Error("the cluster ended before it listened")),
  );
  const description = await Promise.race([listening, ended]);
  return {
    ...description,
    events,
    stop: async () => {
      await end(child, "SIGINT");
    },
  };
}
