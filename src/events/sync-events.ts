/** The events of the sync, which fetches partitions. */

import type { Offence } from "../errors/offence.ts";
import type { ResponseOutcome } from "../errors/response-outcome.ts";
import type { HashHex, Partition, PeerId } from "../protocol/brands.ts";

/** A complete partition whose hash is not the agreed one. */
export interface MismatchedPartition {
  readonly partition: Partition;
  readonly expected: HashHex;
  readonly got: HashHex;
  readonly accounts: number;
  /** An account that occurred twice with different content. */
  readonly conflict: string | undefined;
}

/** Where the accounts are from that a response completes: a seed, or the beginning that an earlier response left. */
export type BaseOrigin = { readonly kind: "seed"; readonly seed: string } | { readonly kind: "beginning" };

/** `node` is the ID of the node, or the URL of the mirror without secrets. */
export type SyncEvent =
  | { readonly type: "request"; readonly node: PeerId }
  | { readonly type: "received"; readonly node: PeerId; readonly bytes: number }
  | {
      readonly type: "response";
      readonly node: PeerId;
      /** The partitions that were requested. */
      readonly partitions: readonly Partition[];
      /** The partitions that this response verified. */
      readonly verified: readonly Partition[];
      /** Bytes over the wire. */
      readonly bytes: number;
      readonly outcome: ResponseOutcome;
      /** The HTTP status, if the outcome is `status`. */
      readonly status: number | undefined;
      readonly durationMs: number;
    }
  | {
      readonly type: "verified";
      readonly node: PeerId;
      readonly partition: Partition;
      readonly accounts: number;
      readonly bytes: number;
      /** How many of the bytes are the base's. */
      readonly baseBytes: number;
      /** `undefined` if the response gave every account. */
      readonly base: BaseOrigin | undefined;
    }
  /** A response did not complete a base to the agreed hash: the partition is requested whole. Nobody is to blame. */
  | {
      readonly type: "unfit-base";
      readonly node: string;
      readonly partition: Partition;
      readonly base: BaseOrigin | undefined;
      readonly reason: string;
    }
  | { readonly type: "mismatched"; readonly node: PeerId; readonly mismatch: MismatchedPartition }
  | { readonly type: "offence"; readonly offence: Offence };
