/** What happens while partitions are fetched, as data. */

import type { Offence } from "../errors/offence.ts";
import type { ResponseOutcome } from "../errors/response-outcome.ts";

/** A partition that came whole, and has another hash than the agreed one. */
export interface MismatchedPartition {
  readonly partition: number;
  readonly expected: string;
  readonly got: string;
  readonly accounts: number;
  /** An account that was there twice with different content. */
  readonly conflict: string | undefined;
}

export type SyncEvent =
  | { readonly type: "request"; readonly node: string }
  | { readonly type: "received"; readonly node: string; readonly bytes: number }
  | {
      readonly type: "response";
      readonly node: string;
      /** Those that were requested. */
      readonly partitions: readonly number[];
      /** Those that the response gave. */
      readonly verified: readonly number[];
      /** Over the wire. */
      readonly bytes: number;
      readonly outcome: ResponseOutcome;
      /** The HTTP status, where that is the outcome. */
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
