/** The events of the sync, which fetches partitions. */

import type { Offence } from "../errors/offence.ts";
import type { ResponseOutcome } from "../errors/response-outcome.ts";

/** A complete partition whose hash is not the agreed one. */
export interface MismatchedPartition {
  readonly partition: number;
  readonly expected: string;
  readonly got: string;
  readonly accounts: number;
  /** An account that occurred twice with different content. */
  readonly conflict: string | undefined;
}

export type SyncEvent =
  | { readonly type: "request"; readonly node: string }
  | { readonly type: "received"; readonly node: string; readonly bytes: number }
  | {
      readonly type: "response";
      readonly node: string;
      /** The partitions that were requested. */
      readonly partitions: readonly number[];
      /** The partitions that this response verified. */
      readonly verified: readonly number[];
      /** Bytes over the wire. */
      readonly bytes: number;
      readonly outcome: ResponseOutcome;
      /** The HTTP status, if the outcome is `status`. */
      readonly status: number | undefined;
      readonly durationMs: number;
    }
  | {
      readonly type: "verified";
      readonly node: string;
      readonly partition: number;
      readonly accounts: number;
      readonly bytes: number;
    }
  | { readonly type: "mismatched"; readonly node: string; readonly mismatch: MismatchedPartition }
  | { readonly type: "offence"; readonly offence: Offence };
