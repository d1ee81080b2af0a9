/** The claims that a verification depends on, and the basis of each. */

export type ClaimName =
  /** The nodes that may vote. */
  | "nodeList"
  /** The snapshot's cycle record: its time, and its number of nodes. */
  | "cycle"
  /** The settings that determine which nodes vote on a partition. */
  | "sharding"
  /** The rule for how many votes a hash needs. */
  | "quorum"
  /** The archivers that a restarted network can ask. */
  | "archivers";

/**
 * `given`: the auditor states it. `proved`: it follows from data that the auditor gave. `told`: only the snapshot states
 * it.
 */
export type ClaimBasis = "given" | "proved" | "told";

export interface Claim {
  readonly claim: ClaimName;
  readonly basis: ClaimBasis;
  /** The reason, as a sentence. */
  readonly detail: string;
}

/** The auditor's requirement: proof of every claim, or only that the snapshot is consistent. */
export type Requirement = "proved" | "told";

/** Returns whether the snapshot's state depends on a claim. Only of such claims proof is required. */
export function isOfState({ claim }: Claim): boolean {
  return claim !== "archivers";
}
