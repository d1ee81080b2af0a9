/** The effects of a run: with real ports it fetches a snapshot, with virtual ports it is a simulation. */

import type { MatchedPartition, ResponseReceiver, ResponseReport } from "../artifact/response-report.ts";
import type { SyncEvent } from "../events/sync-events.ts";
import type { Partition } from "../protocol/brands.ts";
import type { ActiveNode } from "../protocol/node.ts";
import type { SnapshotReq } from "../protocol/snapshot-request.ts";

/** One request for a partial snapshot. */
export interface PartialSnapshotRequest {
  readonly node: ActiveNode;
  readonly body: SnapshotReq;
  /** Ends the request, which then fails with the FetchError `aborted`. */
  readonly signal: AbortSignal;
}

/** One request for the artifact of a partition, to a mirror. */
export interface ArtifactRequest {
  /** The mirror's place among the mirrors of the run. */
  readonly mirror: number;
  readonly partition: Partition;
  /** How many bytes the run already has from the beginning of the artifact. */
  readonly heldBytes: number;
  readonly signal: AbortSignal;
}

/** Receives the progress of a response. */
export interface ResponseObserver {
  /** Bytes arrived over the wire, compressed or not. */
  wire(bytes: number): void;
  /**
   * A chunk of the decompressed response has arrived.
   *
   * @throws ResponseError `over-budget`
   */
  received(bytes: number): void;
  /** The chunk is processed, and the transport waits for the next one. */
  waiting(): void;
  /** The last chunk has arrived: from now on, time is not the peer's. */
  ended(): void;
}

/** Sends requests. */
export interface Transport {
  /**
   * Sends one request and receives its response, partition by partition.
   *
   * @throws SnapshotError `disk`; the report holds every failure of the peer
   */
  request(
    request: PartialSnapshotRequest,
    receiver: ResponseReceiver,
    observer: ResponseObserver,
  ): Promise<ResponseReport>;
}

/** Sends requests to mirrors. */
export interface MirrorTransport {
  /**
   * Requests one artifact, and receives it.
   *
   * @throws SnapshotError `disk`; the report holds every failure of the mirror
   */
  request(
    request: ArtifactRequest,
    receiver: ResponseReceiver,
    observer: ResponseObserver,
  ): Promise<ResponseReport>;
}

/** Stores partitions. */
export interface ArtifactStore {
  /** Stores a partition that has the agreed hash. */
  accept(partition: MatchedPartition): Promise<void>;
  /** Drops a partition that another response has already given. */
  discard(partition: MatchedPartition): Promise<void>;
  /** Removes a file that is of no use any more. */
  remove(path: string): Promise<void>;
  /** Returns the free space of the disk that responses are written to. */
  freeBytes(): Promise<number>;
}

export interface Clock {
  /** Returns milliseconds since an arbitrary time, without the time in which the process was suspended. */
  nowMs(): number;
  /** Resolves after that time, or as soon as the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Returns a number in [0, 1). */
export type Random = () => number;

export interface SyncPorts {
  readonly transport: Transport;
  /** Required if the pool has mirrors. */
  readonly mirrors?: MirrorTransport | undefined;
  readonly store: ArtifactStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: (event: SyncEvent) => void;
}
