/** The network of a command: the sources that are given, or the cluster that `--cluster <fixture>` starts for one run. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import type { ListSources } from "../trust/network-options.ts";
import type { Io } from "./io.ts";

/** @param action receives the flags, with the cluster's archiver if there is a cluster */
export async function withCluster<Flags extends ListSources & { readonly cluster?: string }, T>(
  flags: Flags,
  io: Io,
  action: (flags: Flags) => Promise<T>,
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

/**
 * @param needsCycles whether the command reads cycle records, not only the node list
 * @throws SnapshotError `usage`
 */
export function requireNetwork({ archiver, nodes, cycles }: ListSources, needsCycles: boolean): void {
  if (archiver !== undefined || (nodes !== undefined && (cycles !== undefined || !needsCycles))) return;
  throw new SnapshotError("usage", "missing the network to read from", {
    hint: `Give --archiver <url>, or ${needsCycles ? "both --nodes <file> and --cycles <file>" : "--nodes <file>"}.`,
  });
}
