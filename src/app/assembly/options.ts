/** What an assembly is told. */

import type { Quorum } from "../../agreement/vote-tally.ts";
import type { Reporter } from "../../events/assemble-events.ts";
import type { Compression } from "../../format/artifact.ts";
import { concurrencyMax } from "../../limits/limits.ts";
import * as check from "../../options/option-check.ts";
import { type OrderRule, orderRules } from "../../sync/strategy/order-rule.ts";
import type { SnapshotTime } from "../../trust/chain/timestamp.ts";
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

export function isSnapshotTime(value: unknown): value is SnapshotTime {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  if (value.kind === "latest") return true;
  const number = value.kind === "cycle" ? Reflect.get(value, "counter") : Reflect.get(value, "timestamp");
  return (value.kind === "cycle" || value.kind === "moment") && Number.isSafeInteger(number) && number >= 0;
}
