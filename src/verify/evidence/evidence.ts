/**
 * Audits the evidence of a snapshot offline: it recounts the votes on the partition hashes, checks the cycle chain, and
 * determines which claims the auditor's own data proves. Evidence can support a claim, but never weakens a requirement.
 */

import { ARCHIVERS_FILE } from "../../format/evidence/archivers.ts";
import { COUNTING_FILE } from "../../format/evidence/counting-rules.ts";
import { CYCLES_FILE } from "../../format/evidence/cycles.ts";
import { NODE_LIST_FILE } from "../../format/evidence/node-list.ts";
import { type Claim, type ClaimName, isOfState } from "../findings/claims.ts";
import type { FindingList } from "../findings/finding-list.ts";
import type { EvidenceReport } from "../findings/findings.ts";
import { auditArchivers } from "./archivers.ts";
import { Audit, type AuditOptions, type AuditSubject } from "./audit.ts";
import { auditCycles } from "./cycle.ts";
import { auditNodeList } from "./node-list.ts";
import { quorumClaim } from "./quorum.ts";
import { recountVotes } from "./recount.ts";
import { auditSharding } from "./sharding.ts";
import { auditTxList } from "./tx-list.ts";

export async function auditEvidence(
  subject: AuditSubject,
  { trust, require }: AuditOptions,
  findings: FindingList,
): Promise<EvidenceReport> {
  const audit = new Audit(subject, trust, findings);
  const cycle = await auditCycles(audit);
  await auditTxList(audit, cycle);
  const archivers = await auditArchivers(audit, cycle);
  const nodeList = await auditNodeList(audit, cycle);
  const sharding = await auditSharding(audit, cycle);
  const quorum = trust.quorum ?? "majority";
  const isListTrusted = nodeList.claim.basis !== "told";
  const recount = await recountVotes(audit, nodeList.nodes, sharding, quorum, isListTrusted);
  const claims = [nodeList.claim, cycle.claim, recount.sharding, quorumClaim(quorum)];
  if (archivers !== undefined) claims.push(archivers);
  if (require === "proved") requireProof(claims, findings);
  return {
    votes: recount.votes,
    nodeList: nodeList.report,
    chain: cycle.chain,
    claims,
    notes: audit.notes,
  };
}

const fileOf: Readonly<Record<ClaimName, string>> = {
  nodeList: NODE_LIST_FILE,
  cycle: CYCLES_FILE,
  sharding: COUNTING_FILE,
  quorum: COUNTING_FILE,
  archivers: ARCHIVERS_FILE,
};

function requireProof(claims: readonly Claim[], findings: FindingList): void {
  for (const { claim, basis, detail } of claims.filter(isOfState)) {
    if (basis !== "told") continue;
    findings.add("unproved", fileOf[claim], `only the snapshot states this: ${detail}`, { claim });
  }
}
