/** What an assembly is told. */

import type { Quorum } from "../../agreement/vote-tally.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { Reporter } from "../../events/assemble-events.ts";
import type { Compression } from "../../format/artifact.ts";
import { assembleTable } from "../../options/assemble-table.ts";
import type { OptionChecks } from "../../options/option-check.ts";
import { checksOf } from "../../options/option-row.ts";
import { DEFAULT_HASH_KEY } from "../../protocol/crypto/hash-key.ts";
import type { OrderRule } from "../../sync/strategy/order-rule.ts";
import { parseSnapshotTime, type SnapshotTime } from "../../trust/chain/timestamp.ts";
import type { NetworkOptions } from "../../trust/network-options.ts";

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

export const assembleChecks: OptionChecks<AssembleOptions> = checksOf(assembleTable);

/** The options with their defaults: what a run works with. */
export interface AssembleSettings extends NetworkOptions {
  readonly time: SnapshotTime;
  readonly maxAgeMs: number | undefined;
  readonly out: string;
  readonly hashKey: string;
  readonly gossip: string | undefined;
  readonly hashDb: string | undefined;
  readonly quorum: Quorum;
  readonly requireChain: boolean;
  readonly stateMetadata: string | undefined;
  readonly allowEmpty: boolean;
  readonly order: OrderRule;
  readonly concurrency: number;
  readonly compression: Compression;
  readonly signal: AbortSignal | undefined;
}

/** @throws SnapshotError `usage`, `unaligned-timestamp` */
export function settingsOf(options: AssembleOptions): AssembleSettings {
  const { timestamp, maxAgeMs } = options;
  const time = typeof timestamp === "object" ? timestamp : parseSnapshotTime(String(timestamp));
  if (maxAgeMs !== undefined && time.kind !== "latest") {
    throw new SnapshotError(
      "usage",
      "--max-age is a limit for --timestamp latest: another timestamp is as old as it is",
      { hint: "Leave --max-age out, or give --timestamp latest." },
    );
  }
  return {
    ...options,
    time,
    maxAgeMs,
    hashKey: options.hashKey ?? DEFAULT_HASH_KEY,
    gossip: options.gossip,
    hashDb: options.hashDb,
    quorum: options.quorum ?? assembleTable.quorum.default,
    requireChain: options.requireChain ?? false,
    stateMetadata: options.stateMetadata,
    allowEmpty: options.allowEmpty ?? false,
    order: options.order ?? assembleTable.order.default,
    concurrency: options.concurrency ?? assembleTable.concurrency.default,
    compression: options.compression ?? assembleTable.compression.default,
    signal: options.signal,
  };
}
