/** The events that an assembly reports to user interfaces, and the summary of a run. */

import type { Offence, OffenceKind, ReportedOffence } from "../errors/offence.ts";
import type { ResponseOutcome } from "../errors/response-outcome.ts";
import type { SnapshotErrorCode } from "../errors/snapshot-error.ts";
import type { Cycle, HashHex, Partition } from "../protocol/brands.ts";

export type { Offence, OffenceKind };

/** One request for a partial snapshot, or for an artifact of a mirror, and its outcome. */
export interface QueryRecord {
  /** The ID of the node, or the URL of the mirror without secrets. */
  readonly node: string;
  /** The partitions that were requested. */
  readonly partitions: readonly Partition[];
  /** The partitions that this response verified. */
  readonly verified: readonly Partition[];
  /** Bytes over the wire. */
  readonly bytes: number;
  readonly outcome: ResponseOutcome;
  /** The HTTP status, if the outcome is `status`. */
  readonly status?: number;
  readonly durationMs: number;
}

/** The source of a partition. */
export type PartitionSource =
  | { readonly kind: "node"; readonly id: string }
  /** A node completed the beginning that other nodes, or an earlier run, had given. */
  | { readonly kind: "continued"; readonly id: string }
  /** A mirror, by its URL without secrets. */
  | { readonly kind: "mirror"; readonly url: string }
  /** A mirror completed a beginning. */
  | { readonly kind: "continued"; readonly url: string }
  /** A seed; a node gave what has changed since, unless nothing has. */
  | { readonly kind: "seed"; readonly seed: string; readonly id: string | null }
  /** An earlier, interrupted run. */
  | { readonly kind: "resumed" }
  /** The snapshot that is already published. */
  | { readonly kind: "published" }
  /** A partition without accounts, whose content is known. */
  | { readonly kind: "empty" };

/** A file of a published snapshot that changed after it was written. */
export interface DamagedFile {
  readonly file: string;
  readonly problem: string;
}

export interface RunSummary {
  readonly timestamp: number | null;
  readonly cycle: Cycle | null;
  readonly networkHash: HashHex | null;
  readonly digest: string | null;
  /** The published snapshot; null if none was published. */
  readonly directory: string | null;
  readonly partitions: { readonly total: number; readonly verified: number };
  readonly accounts: number;
  readonly bytes: RunBytes;
  /** Bytes of the verified partitions' preimages. */
  readonly stateBytes: number;
  readonly queries: readonly QueryRecord[];
  readonly offences: readonly ReportedOffence[];
  readonly warnings: readonly string[];
  /** Damaged files of the snapshot that was already published. */
  readonly damage: readonly DamagedFile[];
  readonly durationMs: number;
}

export interface Progress {
  readonly partitions: { readonly total: number; readonly verified: number };
  readonly accounts: number;
  readonly bytes: MovedBytes;
}

export interface MovedBytes {
  /** Over the wire. */
  readonly received: number;
  /** Of verified partitions, from seeds: these were not received. */
  readonly seeded: number;
}

export interface RunBytes extends MovedBytes {
  readonly sources: readonly SourceBytes[];
}

/** How many bytes came from a source: over the wire from a node or a mirror, of verified partitions from anything else. */
export interface SourceBytes {
  readonly source:
    | { readonly kind: "node"; readonly id: string }
    | { readonly kind: "mirror"; readonly url: string }
    | { readonly kind: "seed"; readonly seed: string }
    | { readonly kind: "resumed" }
    | { readonly kind: "published" };
  readonly bytes: number;
}

export type AssembleEvent =
  | { readonly type: "stage"; readonly message: string }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "progress"; readonly progress: Progress }
  /** A request to a node or a mirror has started; a `query` event of it reports its outcome. */
  | { readonly type: "asked"; readonly node: string }
  | { readonly type: "query"; readonly query: QueryRecord }
  | { readonly type: "offence"; readonly offence: ReportedOffence }
  | { readonly type: "end"; readonly summary: RunSummary; readonly failure: SnapshotErrorCode | undefined };

export interface Reporter {
  report(event: AssembleEvent): void;
}
