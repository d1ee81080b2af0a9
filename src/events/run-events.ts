/** The events of a run. The state of a run is the fold of its events (run-state.ts). */

import type { Cycle, HashHex, Partition } from "../protocol/brands.ts";
import type { DamagedFile, PartitionSource } from "./assemble-events.ts";
import type { SyncEvent } from "./sync-events.ts";

/** Partitions that were verified without a request. */
export interface KeptPartitions {
  readonly partitions: readonly Partition[];
  /** The accounts of all these partitions; likewise the bytes. */
  readonly accounts: number;
  readonly bytes: number;
  readonly source: PartitionSource;
}

export type RunEvent =
  | { readonly type: "stage"; readonly message: string }
  | { readonly type: "warning"; readonly message: string }
  /** Work on a boundary begins. Partitions that were verified for another boundary no longer count. */
  | {
      readonly type: "boundary";
      readonly timestamp: number;
      readonly cycle: Cycle;
      readonly partitions: number;
    }
  /** The sharding settings are known. */
  | { readonly type: "settings"; readonly areProved: boolean }
  | { readonly type: "agreed"; readonly networkHash: HashHex }
  /** The snapshot that is already published has damaged files. */
  | { readonly type: "damaged"; readonly files: readonly DamagedFile[] }
  | ({ readonly type: "kept" } & KeptPartitions)
  | { readonly type: "published"; readonly directory: string; readonly digest: string }
  | SyncEvent;
