/** What an assembly is told. */

import type { SnapshotTime } from "../chain/timestamp.ts";
import type { Quorum } from "../gossip/collector.ts";
import type { Compression } from "../model/snapshot-layout.ts";
import type { Reporter } from "./reporter.ts";

/** Where the lists come from: an archiver, files, or one of each. */
export interface ListSources {
  /** URL of the archiver. */
  readonly archiver?: string | undefined;
  /** The archiver's public key, which must have signed its answers. */
  readonly archiverKey?: string | undefined;
  /** A file with the node list. */
  readonly nodes?: string | undefined;
  /** A file with the cycle records. */
  readonly cycles?: string | undefined;
}

export interface NetworkOptions extends ListSources {
  /** 64 hex digits. */
  readonly hashKey?: string | undefined;
  readonly nodesPerConsensusGroup?: number | undefined;
  readonly nodesPerEdge?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
  readonly stallTimeoutMs?: number | undefined;
}

export interface AssembleOptions extends NetworkOptions {
  /** As `--timestamp` has it (milliseconds, seconds, ISO 8601, `cycle:<n>`, `latest`), or parsed. */
  readonly timestamp: string | number | SnapshotTime;
  /** The directory that snapshots are published in. */
  readonly out: string;
  /** A file with gossip messages. */
  readonly gossip?: string | undefined;
  readonly quorum?: Quorum | undefined;
  /** Whether a later cycle record must name the same network hash. */
  readonly requireChain?: boolean | undefined;
  /** A file or URL of state metadata, which must not disagree. */
  readonly stateMetadata?: string | undefined;
  /** Whether a snapshot may be one of empty partitions alone. */
  readonly allowEmpty?: boolean | undefined;
  /** Nodes that are asked at the same time. */
  readonly concurrency?: number | undefined;
  readonly compression?: Compression | undefined;
  /** Ends the run; what is verified is kept. */
  readonly signal?: AbortSignal | undefined;
  readonly reporter?: Reporter | undefined;
}

export const defaults = {
  concurrency: 4,
  connectTimeoutMs: 10_000,
  stallTimeoutMs: 30_000,
  quorum: "majority",
  compression: "none",
  out: "snapshots",
} as const;
