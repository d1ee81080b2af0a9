/** A simulated source of partitions: a validator, or a mirror. */

import type { NodeId, NodeIndex, Partition, PeerId, PeerIndex } from "../protocol/brands.ts";
import type { PeerTraits } from "./initial-bases.ts";

/** The behaviour of a virtual peer. */
export type Behaviour =
  | { readonly kind: "honest" }
  /** Refuses every connection. */
  | { readonly kind: "down" }
  /** Refuses connections and resets responses from a moment on. */
  | { readonly kind: "dies"; readonly atMs: number }
  /** Sends other content of these partitions; those who collude send the same. */
  | { readonly kind: "lies"; readonly partitions: ReadonlySet<Partition>; readonly isColluding: boolean }
  /** Sends no accounts of these partitions. */
  | { readonly kind: "withholds"; readonly partitions: ReadonlySet<Partition> }
  /** Stalls within the response. */
  | { readonly kind: "stalls" }
  /** Rejects a number of requests with a status and the time of a retry. */
  | {
      readonly kind: "refuses";
      readonly status: 425 | 429 | 503;
      readonly times: number;
      readonly retryAfterMs: number;
    }
  /** Holds the snapshot until a moment: then, status 404. */
  | { readonly kind: "drops"; readonly atMs: number }
  /** Holds the snapshot from a moment on: until then, status 425. */
  | { readonly kind: "joins"; readonly atMs: number }
  /** Resets a number of responses after their first partition. */
  | { readonly kind: "breaks-off"; readonly times: number }
  /** Sends a response that is not a list of accounts. */
  | { readonly kind: "malformed" }
  /** Sends a partition without end. */
  | { readonly kind: "endless" }
  /** Sends accounts twice, of foreign partitions, and after complete partitions. */
  | { readonly kind: "adds" }
  /** Sends partitions that were not requested, its own and others', instead of those that were. */
  | { readonly kind: "strays" }
  /** Sends what is requested, and then a byte now and then. */
  | { readonly kind: "lingers" };

export interface VirtualPeer extends PeerTraits {
  readonly index: PeerIndex;
  readonly id: PeerId;
  readonly behaviour: Behaviour;
  readonly latencyMs: number;
  readonly bytesPerMs: number;
  /** Whether it narrows a response to the requested range. */
  readonly knowsRanges: boolean;
  /** Whether it sends accounts in order. Otherwise they are sorted at the end of each partition. */
  readonly isSorted: boolean;
}

export interface VirtualValidator extends VirtualPeer {
  readonly index: NodeIndex;
  readonly id: NodeId;
}
