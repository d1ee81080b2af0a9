/** The claim about the quorum rule, which is the auditor's, whatever the evidence states. */

import type { Quorum } from "../../agreement/vote-tally.ts";
import type { Claim } from "../findings/claims.ts";

export function quorumClaim(quorum: Quorum): Claim {
  const detail =
    quorum === "majority"
      ? "more than half of the nodes that cover a partition"
      : "as requested: the most popular hash of at least half of the nodes that cover a partition";
  return { claim: "quorum", basis: "given", detail };
}
