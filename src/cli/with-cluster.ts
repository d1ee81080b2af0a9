/** `--cluster <fixture>`: starts a cluster for one run, as its network. */

import type { Io } from "./io.ts";
import type { NetworkFlags } from "./network-options.ts";

export interface ClusterFlags extends NetworkFlags {
  readonly cluster?: string;
}

export async function withCluster<T>(
  flags: ClusterFlags,
  io: Io,
  action: (network: NetworkFlags) => Promise<T>,
): Promise<T> {
  if (flags.cluster === undefined) return action(flags);
  const { spawnCluster } = await import("../testnet/cluster/spawn-cluster.ts");
  const { archiverUrl, archiverPublicKey, stop } = await spawnCluster(flags.cluster, { signal: io.signal });
  try {
    return await action({ ...flags, archiver: archiverUrl, archiverKey: archiverPublicKey });
  } finally {
    await stop();
  }
}
