/** The configuration of a cluster's network: what its validators state in `/netconfig`, and its hash. */

import { canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import { hashText } from "../../protocol/crypto/hash.ts";

export interface ConfigSettings {
  readonly nodesPerConsensusGroup: number;
  readonly nodesPerEdge: number;
  /** Seconds. */
  readonly cycleDuration: number;
}

/** The `config` object, of the same shape as a real network's, as far as anybody reads it. */
export function networkConfigOf({
  nodesPerConsensusGroup,
  nodesPerEdge,
  cycleDuration,
}: ConfigSettings): object {
  return {
    p2p: { cycleDuration, useNetworkModes: false },
    sharding: { nodesPerConsensusGroup, nodesPerEdge, executeInOneShard: false },
    stateManager: { useAccountCopiesTable: true },
    debug: { disableSnapshots: false },
  };
}

/** What cycle records name as `networkConfigHash`. */
export function networkConfigHashOf(settings: ConfigSettings): string {
  return hashText(canonicalTextOf(networkConfigOf(settings)));
}
