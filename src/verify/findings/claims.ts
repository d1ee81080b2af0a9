/** What a verification rests on, claim by claim. */

export type ClaimName =
  /** Who may vote. */
  | "nodeList"
  /** The snapshot's cycle record: its time, and its number of nodes. */
  | "cycle"
  /** How many nodes vote on a partition. */
  | "sharding"
  /** How many votes carry a hash. */
  | "quorum";

/**
 * `given`: the auditor says so himself. `proved`: it follows from something that the auditor gave. `told`: the
 * directory says so, and nothing else does.
 */
export type ClaimBasis = "given" | "proved" | "told";

export interface Claim {
  readonly claim: ClaimName;
  readonly basis: ClaimBasis;
  /** Why, as a sentence. */
  readonly detail: string;
}

/** What an auditor asks for: proof of every claim, or no more than that the directory agrees with itself. */
export type Requirement = "proved" | "told";
