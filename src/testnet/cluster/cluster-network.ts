/** What every cluster has, static or live: its identities, its geometry and its state. */

import type { Shard } from "../../protocol/shard.ts";
import type { GeneratedState } from "../state/generated-state.ts";
import type { Identity } from "../validator/identity.ts";

export interface ClusterNetwork {
  readonly seed: string;
  /** In ascending order of ID. */
  readonly identities: readonly Identity[];
  readonly shard: Shard;
  /** The state of the snapshot; the genesis state of a live cluster. */
  readonly state: GeneratedState;
  readonly cycleDurationMs: number;
}
