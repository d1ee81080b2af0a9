/** `--cluster <fixture>`: a cluster that is there for one run, in the place of a network. */

import type { Command } from "commander";
import { spawnCluster } from "../cluster/spawn-cluster.ts";
import type { Io } from "./io.ts";
import type { NetworkFlags } from "./network-options.ts";

export interface ClusterFlags extends NetworkFlags {
  readonly cluster?: string;
}

export function addClusterOption(command: Command): Command {
  return command.option(
    "--cluster <fixture>",
    "start this fixture cluster for the run, in the place of a network",
  );
}

export async function withCluster<T>(
  flags: ClusterFlags,
  io: Io,
  action: (network: NetworkFlags) => Promise<T>,
): Promise<T> {
  if (flags.cluster === undefined) return action(flags);
  const { archiverUrl, archiverPublicKey, stop } = await spawnCluster(flags.cluster, { signal: io.signal });
  try {
    return await action({ ...flags, archiver: archiverUrl, archiverKey: archiverPublicKey });
  } finally {
    await stop();
  }
}
