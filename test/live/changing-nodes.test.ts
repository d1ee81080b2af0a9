/** Live clusters whose nodes change while they run: real processes join, leave and die. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { audit } from "../../bench/live/audit.ts";
import { MANIFEST_FILE, type Manifest } from "../../src/format/manifest.ts";
import type { LiveEvent } from "../../src/testnet/live/live-description.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { isAlive, program, publish, type RunningCluster, run, startCluster } from "./running-cluster.ts";

type EventOf<T extends LiveEvent["type"]> = Extract<LiveEvent, { readonly type: T }>;

function told<T extends LiveEvent["type"]>({ events }: RunningCluster, type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

/** Waits for an event. */
async function until<T extends LiveEvent["type"]>(
  cluster: RunningCluster,
  type: T,
  validator: number,
): Promise<EventOf<T>> {
  for (;;) {
    const event = told(cluster, type).find((one) => one.validator === validator);
    if (event !== undefined) return event;
    await sleep(50);
  }
}

/** The number of nodes of a cycle, as the cluster reported its changes. */
function nodesOf(cluster: RunningCluster, cycle: number): number {
  const changes = [...told(cluster, "validator-activated"), ...told(cluster, "validator-removed")];
  const last = changes.filter((change) => change.cycle <= cycle).sort((a, b) => a.cycle - b.cycle);
  return last.at(-1)?.nodes ?? cluster.nodes.length;
}

/** Checks a published snapshot offline, its partitions, and its state against the transactions. Returns its cycle. */
async function requireRight(cluster: RunningCluster, directory: string): Promise<number> {
  expect(await run(program, ["verify", directory, "--json"])).toMatchObject({ status: 0, ok: true });
  const audited = await audit(cluster.directory, directory);
  expect(audited).toMatchObject({ ok: true, totalBalance: cluster.totalBalance, problems: [] });
  const manifest = JSON.parse(readFileSync(join(directory, MANIFEST_FILE), "utf8")) as Manifest;
  expect(manifest.snapshot.numPartitions).toBe(nodesOf(cluster, audited.cycle));
  return audited.cycle;
}

describe("a live cluster whose nodes change", { timeout: 240_000 }, () => {
  it("gives right snapshots of the time before and after validators join, leave and die", async () => {
    const snapshotEvery = 10;
    const cluster = await startCluster(snapshotEvery, [
      ...["--nodes", "7", "--nodes-per-consensus-group", "5", "--accounts", "300", "--tx-rate", "60"],
      ...["--join", "7@1", "--leave", "2@11", "--kill", "4@10", "--join", "8@10"],
      ...["--fault", "8:kill-at=gossip"],
    ]);
    const { archiverUrl, archiverPublicKey, startMs, periodMs, nodes } = cluster;
    const out = temporaryDirectory();
    expect(await until(cluster, "validator-removed", 2)).toMatchObject({ cycle: 11, isLost: false });
    expect(await until(cluster, "validator-removed", 4)).toMatchObject({ cycle: 12, isLost: true });

    // Two nodes of the first mark are gone, and the records after it name its hash.
    const network = ["--archiver", archiverUrl, "--archiver-key", archiverPublicKey, "--require-chain"];
    const marked = ["--timestamp", String(startMs + periodMs), "--out", out, "--json", "--quiet"];
    let older = await run(program, [...network, ...marked]);
    while (older.status === 5 || older.status === 6) {
      await sleep(100);
      older = await run(program, [...network, ...marked]);
    }
    expect(older).toMatchObject({ status: 0, cycle: snapshotEvery - 1, offences: [] });
    expect(await requireRight(cluster, String(older["directory"]))).toBe(snapshotEvery - 1);

    const { cycle: activated } = await until(cluster, "validator-activated", 8);
    await until(cluster, "validator-restarted", 8);
    for (let cycle = 0; cycle < activated; ) {
      cycle = await requireRight(cluster, (await publish(cluster, out, "latest")) ?? "");
    }

    expect(await until(cluster, "left", 2)).toMatchObject({ cycle: 10 });
    while ([2, 4].some((gone) => isAlive(nodes[gone]?.pid ?? 0))) await sleep(50);
    for (const trouble of ["disagreement", "export-failed", "cycle-failed"] as const) {
      expect(told(cluster, trouble)).toEqual([]);
    }
    expect(told(cluster, "validator-died").map(({ validator }) => validator)).toEqual([4, 8]);
  });
});
