/** What an assembly tells of itself while it goes on. The engine declares it; user interfaces implement it. */

import type { Offence, OffenceKind, ReportedOffence } from "../errors/offence.ts";
import type { ResponseOutcome } from "../errors/response-outcome.ts";
import type { SnapshotErrorCode } from "../errors/snapshot-error.ts";

export type { Offence, OffenceKind };

/** One request for a partial snapshot, and what came of it. */
export interface QueryRecord {
  readonly node: string;
  /** Those that were asked for. */
  readonly partitions: readonly number[];
  /** Those that the answer gave. */
  readonly verified: readonly number[];
  /** As they came over the wire. */
  readonly bytes: number;
  readonly outcome: ResponseOutcome;
  /** The HTTP status, where the outcome is `status`. */
  readonly status?: number;
  readonly durationMs: number;
}

/** Where a partition of a run came from. */
export type PartitionSource =
  | { readonly kind: "node"; readonly id: string }
  /** An earlier run that was interrupted. */
  | { readonly kind: "resumed" }
  /** The snapshot that was published already. */
  | { readonly kind: "published" }
  /** A partition without accounts, whose content is known. */
  | { readonly kind: "empty" };

/** A file of a published snapshot that is not as it was written. */
export interface DamagedFile {
  readonly file: string;
  readonly problem: string;
}

export interface RunSummary {
  readonly timestamp: number | null;
  readonly cycle: number | null;
  readonly networkHash: string | null;
  readonly digest: string | null;
  /** Where the snapshot is published; null where it is not. */
  readonly directory: string | null;
  readonly partitions: { readonly total: number; readonly verified: number };
  readonly accounts: number;
  readonly bytesReceived: number;
  /** Of the verified partitions' preimages. */
  readonly stateBytes: number;
  readonly queries: readonly QueryRecord[];
  readonly offences: readonly ReportedOffence[];
  readonly warnings: readonly string[];
  /** What was wrong with the snapshot that was published already; empty where there was none, or it is right. */
  readonly damage: readonly DamagedFile[];
  readonly durationMs: number;
}

export interface Progress {
  readonly partitions: { readonly total: number; readonly verified: number };
  readonly accounts: number;
  readonly bytesReceived: number;
}

export type AssembleEvent =
  | { readonly type: "stage"; readonly message: string }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "progress"; readonly progress: Progress }
  /** A request to a node has begun; a `query` of that node says how it ended. */
  | { readonly type: "asked"; readonly node: string }
  | { readonly type: "query"; readonly query: QueryRecord }
  | { readonly type: "offence"; readonly offence: ReportedOffence }
  | { readonly type: "end"; readonly summary: RunSummary; readonly failure: SnapshotErrorCode | undefined };

export interface Reporter {
  report(event: AssembleEvent): void;
}
