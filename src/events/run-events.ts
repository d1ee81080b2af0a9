/** What happens in a run, as data. The state of a run is the fold of its events (run-state.ts). */

import type { DamagedFile, PartitionSource } from "./assemble-events.ts";
import type { SyncEvent } from "./sync-events.ts";

/** Partitions that were verified without a request of their own. */
export interface KeptPartitions {
  readonly partitions: readonly number[];
  /** Of all of them. */
  readonly accounts: number;
  readonly bytes: number;
  readonly source: PartitionSource;
}

export type RunEvent =
  | { readonly type: "stage"; readonly message: string }
  | { readonly type: "warning"; readonly message: string }
  /** Work on a boundary begins. What was verified for another one no longer counts. */
  | {
      readonly type: "boundary";
      readonly timestamp: number;
      readonly cycle: number;
      readonly partitions: number;
    }
  /** The sharding settings are known. */
  | { readonly type: "settings"; readonly areProved: boolean }
  | { readonly type: "agreed"; readonly networkHash: string }
  /** The snapshot that is published already has damaged files. */
  | { readonly type: "damaged"; readonly files: readonly DamagedFile[] }
  | ({ readonly type: "kept" } & KeptPartitions)
  | { readonly type: "published"; readonly directory: string; readonly digest: string }
  | SyncEvent;
