/** Starts a live cluster, from a genesis state or from a snapshot. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { type Beginning, genesis, restart } from "./beginning.ts";
import { openDirectory, removeTree } from "./cluster-directory.ts";
import type { LiveCluster } from "./live-description.ts";
import { liveNetwork, setUpNodes } from "./live-network.ts";
import type { LiveSettings } from "./live-settings.ts";
import { makeMembershipPlan } from "./membership/planned-change.ts";
import { defaultHost, type LiveClusterOptions, RunningCluster } from "./running-cluster.ts";

/**
 * Starts validators that are processes, with an archiver and a stream of transactions.
 *
 * @throws SnapshotError where the settings or the directory are invalid, or no server has the snapshot to start from
 */
export async function startLiveCluster(
  settings: LiveSettings,
  options: LiveClusterOptions = {},
): Promise<LiveCluster> {
  const plan = makeMembershipPlan(settings);
  const isDown = downNodes(settings, options.restart !== undefined);
  const directory = await openDirectory(options.directory);
  const cluster = new RunningCluster(directory, options);
  try {
    return await cluster.start(await beginningOf(settings, options), plan, isDown);
  } catch (error) {
    await cluster.stop();
    // A failed start leaves the directory empty, so that it can be used again.
    for (const name of await readdir(directory).catch(() => [])) await removeTree(join(directory, name));
    options.signal?.throwIfAborted();
    throw error;
  }
}

/** @throws SnapshotError where a fault is invalid */
function downNodes(settings: LiveSettings, isRestart: boolean): (index: number) => boolean {
  const setups = setUpNodes(settings, liveNetwork(settings));
  const down = setups.findIndex(({ isListening }) => !isListening);
  if (isRestart && down >= 0) {
    throw new SnapshotError("configuration", `node ${down} is down, and the network would wait for it`, {
      hint: "A network that starts from a snapshot needs every node; kill one later with --kill.",
    });
  }
  return (index) => setups[index]?.isListening === false;
}

async function beginningOf(
  settings: LiveSettings,
  { restart: flags, host = defaultHost, signal, report }: LiveClusterOptions,
): Promise<Beginning> {
  if (flags === undefined) return genesis(settings);
  return await restart(settings, flags, {
    host,
    signal,
    report: (event) => report?.({ ...event, validator: null }),
  });
}
