/** What the runner needs of the world: with real ports it fetches a snapshot, with virtual ones it is simulated. */

import type { MatchedPartition, ResponseReceiver, ResponseReport } from "../artifact/response-report.ts";
import type { SyncEvent } from "../events/sync-events.ts";
import type { ActiveNode } from "../protocol/node.ts";
import type { SnapshotReq } from "../protocol/snapshot-request.ts";

/** One request for a partial snapshot. */
export interface PartialSnapshotRequest {
  readonly node: ActiveNode;
  readonly body: SnapshotReq;
  /** Ends the request, which then fails with a FetchError `aborted`. */
  readonly signal: AbortSignal;
}

/** Told of a response while it comes. */
export interface ResponseObserver {
  /** Bytes came over the wire, compressed or not. */
  wire(bytes: number): void;
  /**
   * A chunk of the decompressed response has come.
   *
   * @throws ResponseError `over-budget`
   */
  received(bytes: number): void;
  /** The chunk is processed, and the next is waited for. */
  waiting(): void;
  /** The last chunk has come: what is left to do is ours. */
  ended(): void;
}

/** Where requests go. */
export interface Transport {
  /**
   * Sends one request and receives its response, partition by partition.
   *
   * @throws SnapshotError `disk`; whatever the peer does wrong is in the report
   */
  request(
    request: PartialSnapshotRequest,
    receiver: ResponseReceiver,
    observer: ResponseObserver,
  ): Promise<ResponseReport>;
}

/** Where partitions go. */
export interface ArtifactStore {
  /** Puts a partition in its place, which has the agreed hash. */
  accept(partition: MatchedPartition): Promise<void>;
  /** Drops a partition that another response has given. */
  discard(partition: MatchedPartition): Promise<void>;
  /** Of the disk that responses are written to. */
  freeBytes(): Promise<number>;
}

export interface Clock {
  /** Milliseconds, from a beginning of its own. It stands still while the process does. */
  nowMs(): number;
  /** Resolves after so long, or as soon as it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** A number in [0, 1). */
export type Random = () => number;

export interface SyncPorts {
  readonly transport: Transport;
  readonly store: ArtifactStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: (event: SyncEvent) => void;
}
