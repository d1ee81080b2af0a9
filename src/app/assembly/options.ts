/** What an assembly is told. */

import type { Quorum } from "../../agreement/vote-tally.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { Reporter } from "../../events/assemble-events.ts";
import type { Compression } from "../../format/artifact.ts";
import { concurrencyMax } from "../../limits/limits.ts";
import * as check from "../../options/option-check.ts";
import { DEFAULT_HASH_KEY } from "../../protocol/crypto/hash-key.ts";
import { type OrderRule, orderRules } from "../../sync/strategy/order-rule.ts";
import { parseSnapshotTime, type SnapshotTime } from "../../trust/chain/timestamp.ts";
import { type NetworkOptions, networkChecks, networkDefaults } from "../../trust/network-options.ts";

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

export const assembleChecks: check.OptionChecks<AssembleOptions> = {
  ...networkChecks,
  timestamp: check.required({
    accepts: (value) => typeof value === "string" || typeof value === "number" || isSnapshotTime(value),
    expected: 'milliseconds, seconds, ISO 8601 with a time zone, "cycle:<n>" or "latest"',
  }),
  maxAgeMs: {
    accepts: (value) => typeof value === "number" && value > 0,
    expected: "a number of milliseconds greater than 0",
  },
  out: check.required(check.path),
  gossip: check.path,
  hashDb: check.path,
  quorum: check.oneOf("majority", "popular"),
  requireChain: check.flag,
  stateMetadata: { ...check.path, expected: "the path of a file, or a URL" },
  allowEmpty: check.flag,
  order: check.oneOf(...orderRules),
  concurrency: check.wholeNumber(1, concurrencyMax),
  compression: check.oneOf("none", "gzip"),
  signal: check.abortSignal,
  reporter: check.reporter,
};

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
    quorum: options.quorum ?? defaults.quorum,
    requireChain: options.requireChain ?? false,
    stateMetadata: options.stateMetadata,
    allowEmpty: options.allowEmpty ?? false,
    order: options.order ?? defaults.order,
    concurrency: options.concurrency ?? defaults.concurrency,
    compression: options.compression ?? defaults.compression,
    signal: options.signal,
  };
}

export function isSnapshotTime(value: unknown): value is SnapshotTime {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  if (value.kind === "latest") return true;
  const number = value.kind === "cycle" ? Reflect.get(value, "counter") : Reflect.get(value, "timestamp");
  return (value.kind === "cycle" || value.kind === "moment") && Number.isSafeInteger(number) && number >= 0;
}
