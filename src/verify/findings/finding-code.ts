/** Maps the findings of a check to one error code, which is that of a run that fails for the same cause. */

import type { SnapshotErrorCode } from "../../errors/snapshot-error.ts";
import type { Finding } from "./findings.ts";

/**
 * Wrong bytes take precedence. In the evidence, causes take precedence over their consequences, as in a run, which ends
 * with the first one: the node list, then the cycle, then the votes.
 */
const codesBySeverity = [
  "verification",
  "node-list",
  "chain",
  "no-agreement",
] as const satisfies readonly SnapshotErrorCode[];

export type FindingCode = (typeof codesBySeverity)[number];

/**
 * Returns the code of the most severe finding. Unproved claims count only if nothing is wrong.
 *
 * @param findings at least one
 */
export function codeOfFindings(findings: readonly Finding[]): FindingCode {
  const wrong = findings.filter(({ kind }) => kind !== "unproved");
  const codes = new Set((wrong.length > 0 ? wrong : findings).map(codeOfFinding));
  return codesBySeverity.find((code) => codes.has(code)) ?? "verification";
}

function codeOfFinding({ kind, claim }: Finding): FindingCode {
  switch (kind) {
    case "gossip":
    case "no-agreement":
    case "sharding":
      return "no-agreement";
    case "chain":
      return "chain";
    case "node-list":
      return "node-list";
    case "unproved":
      if (claim === "nodeList") return "node-list";
      return claim === "cycle" ? "chain" : "no-agreement";
    default:
      return "verification";
  }
}
