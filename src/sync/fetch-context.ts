/** What the fetching of partitions works with. */

import type { WrongPartition } from "../artifact/receive-response.ts";
import type { RunLog } from "../events/run-log.ts";
import type { HttpClient } from "../fetch/http/http-client.ts";
import type { Shard } from "../protocol/shard.ts";
import type { PeerPool } from "./peer-pool.ts";
import type { OrderRule } from "./strategy/order-rule.ts";

export interface FetchContext {
  readonly client: HttpClient;
  readonly shard: Shard;
  readonly timestamp: number;
  readonly hashKey: string;
  readonly agreedHashes: ReadonlyMap<number, string>;
  readonly book: PeerPool;
  readonly order: OrderRule;
  readonly concurrency: number;
  readonly log: RunLog;
  readonly signal?: AbortSignal | undefined;
  /** Whether a node that is still exporting the snapshot is waited for. */
  readonly waitsForExports: () => boolean;
  /** Where a partition of one answer (by number) is written while it comes. */
  readonly incomingPath: (answer: number, partition: number) => string;
  /** Of the disk that partitions are written to. */
  readonly freeBytes: () => Promise<number>;
  readonly accept: (partition: number, path: string) => Promise<void>;
  /** Drops what came of a partition that another answer has given. */
  readonly discard: (path: string) => Promise<void>;
  /** Told of what a node gave wrongly. */
  readonly onWrong?: ((node: string, wrong: WrongPartition) => void) | undefined;
}
