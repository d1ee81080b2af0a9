/** Which network is meant, and how patient we are with it. */

import { networkTable } from "../options/network-table.ts";

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
  /** Whether nodes may be asked at loopback and private addresses, whatever the archiver's own address is. */
  readonly allowPrivate?: boolean | undefined;
  readonly connectTimeoutMs?: number | undefined;
  readonly stallTimeoutMs?: number | undefined;
}

export const networkDefaults = {
  connectTimeoutMs: networkTable.connectTimeoutMs.default,
  stallTimeoutMs: networkTable.stallTimeoutMs.default,
} as const;
