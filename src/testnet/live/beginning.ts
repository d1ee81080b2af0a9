/** What a live cluster begins with: a genesis state, or a snapshot of the network before. */

import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import type { WrappedData } from "../../protocol/account-copy.ts";
import { asCycle, type Cycle } from "../../protocol/brands.ts";
import { allPartitions } from "../../protocol/shard.ts";
import type { Transaction } from "../validator/state/transaction.ts";
import type { AgreedSnapshot } from "../validator/state-sync/agreed-snapshot.ts";
import { runsOf } from "../validator/state-sync/partition-runs.ts";
import type { ServerReport } from "../validator/state-sync/server-pool.ts";
import { SnapshotSync } from "../validator/state-sync/snapshot-sync.ts";
import { genesisAccounts, liveNetwork } from "./live-network.ts";
import type { LiveSettings } from "./live-settings.ts";
import { EarlierCluster } from "./restart/earlier-cluster.ts";
import { type OriginFlags, openOrigin } from "./restart/snapshot-origin.ts";

export interface RestartFlags extends OriginFlags {
  /** The directory of the cluster whose snapshot it is: its later transactions are repeated. */
  readonly resume?: string | undefined;
}

export interface Beginning {
  /** With those of the restart. */
  readonly settings: LiveSettings;
  readonly firstCycle: Cycle;
  readonly previousMarker: string | undefined;
  readonly accounts: () => Iterable<WrappedData> | AsyncIterable<WrappedData>;
  /** The transactions of the network before that follow the snapshot; `undefined` if they are not repeated. */
  readonly earlier: (() => AsyncIterable<Transaction>) | undefined;
  /** Ends the servers that it started. */
  close(): Promise<void>;
}

export function genesis(settings: LiveSettings): Beginning {
  return {
    settings,
    firstCycle: asCycle(0),
    previousMarker: undefined,
    accounts: () => genesisAccounts(liveNetwork(settings)),
    earlier: undefined,
    close: () => Promise.resolve(),
  };
}

export interface RestartOptions {
  readonly host: string;
  readonly signal: AbortSignal | undefined;
  readonly report: (report: ServerReport) => void;
}

/**
 * Finds the snapshot of a restart, and the cycle at which the network continues: after every cycle that the network before
 * is known to have begun.
 *
 * @throws SnapshotError `usage`, `configuration`; `incomplete` if no server has the snapshot; those of `serve`
 */
export async function restart(
  settings: LiveSettings,
  flags: RestartFlags,
  { host, signal, report }: RestartOptions,
): Promise<Beginning> {
  const { wanted, close } = await openOrigin(flags, host, signal);
  const sync = new SnapshotSync(wanted, { report, signal });
  const closeAll = async () => {
    await sync.close();
    await close();
  };
  try {
    const agreed = await sync.agreed();
    const earlier = flags.resume === undefined ? undefined : await EarlierCluster.open(flags.resume, agreed);
    const { cycle, marker } = earlier?.newest ?? (await newestOf(sync));
    const firstCycle = asCycle(cycle + 1);
    return {
      settings: { ...settings, restart: { wanted, previousMarker: marker } },
      firstCycle,
      previousMarker: marker,
      accounts: () => accountsOf(sync, agreed),
      earlier: earlier && (() => earlier.transactions()),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The record of the cycle after the snapshot's is the newest that a snapshot has. */
async function newestOf(sync: SnapshotSync): Promise<EarlierCluster["newest"]> {
  const { counter: cycle, marker = "" } = await sync.recordAfter();
  return { cycle, marker };
}

async function* accountsOf(
  sync: SnapshotSync,
  agreed: AgreedSnapshot,
): AsyncGenerator<WrappedData, void, void> {
  for (const run of runsOf(allPartitions(agreed.shard))) {
    for await (const { accounts } of sync.partitions(run, agreed)) yield* accounts;
  }
}

/** Returns the error for a transaction of the network before that its snapshot does not permit. */
export function notResumable(error: unknown): SnapshotError {
  return new SnapshotError(
    "configuration",
    `the transactions do not continue the snapshot: ${messageOf(error)}`,
    {
      cause: error,
      hint: "Give the directory of the cluster whose snapshot it is with --resume.",
    },
  );
}
