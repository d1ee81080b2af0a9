/** The first state of a validator that starts from servers of a snapshot. It begins empty, and trusts none of them. */

import type { WrappedData } from "../../../protocol/account-copy.ts";
import type { Cycle, NodeId } from "../../../protocol/brands.ts";
import { allPartitions } from "../../../protocol/shard.ts";
import type { ShardingSettings } from "../membership/membership.ts";
import { beginning } from "../state/progress.ts";
import type { StateSource } from "../state/state-source.ts";
import type { AgreedSnapshot } from "./agreed-snapshot.ts";
import { ownPartitions, runsOf } from "./partition-runs.ts";
import type { ServerReport } from "./server-pool.ts";
import { SnapshotSync, type SyncOptions, type WantedSnapshot } from "./snapshot-sync.ts";

/** What happens while a validator fetches its first state. */
export type SyncReport =
  | ServerReport
  /** The own partitions, or all of them, have arrived with their agreed hashes. */
  | {
      readonly type: "state-fetched";
      readonly part: "own" | "all";
      readonly cycle: Cycle;
      readonly partitions: number;
      readonly accounts: number;
    };

export interface ServedSourceOptions extends Omit<SyncOptions, "report"> {
  readonly wanted: WantedSnapshot;
  /** Of the validator. */
  readonly id: NodeId;
  readonly sharding: ShardingSettings;
  readonly report: (report: SyncReport) => void;
}

/**
 * Fetches the partitions that the validator would store in the network of the snapshot, and then the others, since
 * validators of a live cluster keep the whole state. The transaction log of the network continues the snapshot from its
 * beginning.
 */
export function servedSource(options: ServedSourceOptions): StateSource {
  return async () => {
    const { wanted } = options;
    const sync = new SnapshotSync(wanted, options);
    const agreed = await sync.agreed().catch(async (error: unknown) => {
      await sync.close();
      throw error;
    });
    return {
      progress: { ...beginning, cycle: agreed.cycle },
      nodes: [],
      accounts: accountsOf(sync, agreed, options),
    };
  };
}

async function* accountsOf(
  sync: SnapshotSync,
  agreed: AgreedSnapshot,
  { id, sharding, report }: ServedSourceOptions,
): AsyncGenerator<WrappedData, void, void> {
  const own = new Set(ownPartitions(id, sharding, agreed.shard.numNodes));
  const others = allPartitions(agreed.shard).filter((partition) => !own.has(partition));
  let [partitions, accounts] = [0, 0];
  try {
    for (const [part, wanted] of [
      ["own", own],
      ["all", others],
    ] as const) {
      for (const run of runsOf(wanted)) {
        for await (const checked of sync.partitions(run, agreed)) {
          partitions++;
          accounts += checked.accounts.length;
          yield* checked.accounts;
        }
      }
      report({ type: "state-fetched", part, cycle: agreed.cycle, partitions, accounts });
    }
  } finally {
    await sync.close();
  }
}
