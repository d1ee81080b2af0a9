/** What kind of failure the findings of a check come to: one cause has one code, whoever finds it. */

import type { SnapshotErrorCode } from "../../errors/snapshot-error.ts";
import type { Finding } from "./findings.ts";

/**
 * Wrong bytes weigh most. Of the evidence, a cause comes before what follows from it, as in a run, which ends with the
 * first one: who may vote, then the cycle, then the votes.
 */
const codesBySeverity = [
  "verification",
  "node-list",
  "chain",
  "no-agreement",
] as const satisfies readonly SnapshotErrorCode[];

export type FindingCode = (typeof codesBySeverity)[number];

/**
 * What is merely unproved weighs less than what is wrong.
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
