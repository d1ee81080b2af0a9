/** What an assembly is told. */

import type { SnapshotTime } from "../chain/timestamp.ts";
import type { Quorum } from "../gossip/collector.ts";
import type { Compression } from "../model/snapshot-layout.ts";
import { type NetworkOptions, networkDefaults } from "../network/options.ts";
import type { OrderRule } from "../plan/order-rule.ts";
import type { Reporter } from "./reporter.ts";

export interface AssembleOptions extends NetworkOptions {
  /** As `--timestamp` has it (milliseconds, seconds, ISO 8601, `cycle:<n>`, `latest`), or parsed. */
  readonly timestamp: string | number | SnapshotTime;
  /** Where `timestamp` is `latest`: an older snapshot is refused. Without it, one older than a day is a warning. */
  readonly maxAgeMs?: number | undefined;
  /** The directory that snapshots are published in. */
  readonly out: string;
  /** A file with gossip messages. */
  readonly gossip?: string | undefined;
  /** The file of a hash database: a source of gossip, to which is added what the run learns. */
  readonly hashDb?: string | undefined;
  readonly quorum?: Quorum | undefined;
  /** Whether a later cycle record must name the same network hash. */
  readonly requireChain?: boolean | undefined;
  /** A file or URL of state metadata, which must not disagree. */
  readonly stateMetadata?: string | undefined;
  /** Whether a snapshot may be one of empty partitions alone. */
  readonly allowEmpty?: boolean | undefined;
  /** How the nodes are chosen that are asked: by Algorithm 1, or as few as can be. */
  readonly order?: OrderRule | undefined;
  /** Nodes that are asked at the same time. */
  readonly concurrency?: number | undefined;
  readonly compression?: Compression | undefined;
  /** Ends the run; what is verified is kept. */
  readonly signal?: AbortSignal | undefined;
  readonly reporter?: Reporter | undefined;
}

export const defaults = {
  ...networkDefaults,
  order: "bisect",
  concurrency: 4,
  quorum: "majority",
  compression: "none",
  out: "snapshots",
} as const;
