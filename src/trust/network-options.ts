/** The options of a network: the sources of its lists, its settings, and timeouts. */

import { networkTable } from "../options/network-table.ts";

/** The sources of the lists: an archiver, files, or one of each. */
export interface ListSources {
  /** URL of the archiver. */
  readonly archiver?: string | undefined;
  /** The archiver's public key, which must have signed its responses. */
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
  /** Whether loopback and private addresses may receive requests, whatever the archiver's own address is. */
  readonly allowPrivate?: boolean | undefined;
  readonly connectTimeoutMs?: number | undefined;
  readonly stallTimeoutMs?: number | undefined;
}

export const networkDefaults = {
  connectTimeoutMs: networkTable.connectTimeoutMs.default,
  stallTimeoutMs: networkTable.stallTimeoutMs.default,
} as const;
