/** The configuration of a cluster's network, which its validators state in `/netconfig`, and its hash. */

import type { HashHex } from "../../protocol/brands.ts";
import { canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import { hashText } from "../../protocol/crypto/hash.ts";

export interface ConfigSettings {
  readonly nodesPerConsensusGroup: number;
  readonly nodesPerEdge: number;
  /** Seconds. */
  readonly cycleDuration: number;
}

/** The `config` object, with the fields of a real network that clients read. */
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

/** The `networkConfigHash` of cycle records. */
export function networkConfigHashOf(settings: ConfigSettings): HashHex {
  return hashText(canonicalTextOf(networkConfigOf(settings)));
}
