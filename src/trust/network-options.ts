/** Which network is meant, and how patient we are with it. */

import { nodesMax } from "../limits/limits.ts";
import {
  flag,
  hexKey,
  httpUrl,
  milliseconds,
  type OptionChecks,
  path,
  wholeNumber,
} from "../options/option-check.ts";

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
  connectTimeoutMs: 10_000,
  stallTimeoutMs: 30_000,
} as const;

export const networkChecks: OptionChecks<NetworkOptions> = {
  archiver: httpUrl,
  archiverKey: hexKey,
  nodes: path,
  cycles: path,
  hashKey: hexKey,
  nodesPerConsensusGroup: wholeNumber(1, nodesMax),
  nodesPerEdge: wholeNumber(0, nodesMax),
  allowPrivate: flag,
  connectTimeoutMs: milliseconds,
  stallTimeoutMs: milliseconds,
};
