/** The process of a live cluster. What such clusters do in the time of several cycles is tested in test/live. */

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { isAlive, startCluster } from "../../live/running-cluster.ts";

describe("a live cluster", () => {
  it("ends at any end of the process that started it", async () => {
    const cluster = await startCluster(5, ["--nodes", "3", "--accounts", "20"]);
    const pids = cluster.nodes.map(({ pid }) => pid ?? 0);
    expect(pids.every(isAlive)).toBe(true);
    cluster.child.kill("SIGKILL");
    while (pids.some(isAlive)) await sleep(50);
  });
});
