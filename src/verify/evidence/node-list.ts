/** Audits the node list, which determines the nodes that may vote: that of the evidence, or that of the auditor. */

import { NODE_LIST_FILE } from "../../format/evidence/node-list.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { counted, isOrAre } from "../../text/counted.ts";
import { cycleNodesOf } from "../../trust/chain/cycle-nodes.ts";
import { parseNodeList } from "../../wire/node-list.ts";
import { describeRowProblems } from "../../wire/row-problems.ts";
import type { Claim } from "../findings/claims.ts";
import type { EvidenceReport } from "../findings/findings.ts";
import type { Audit, TrustedNodeList } from "./audit.ts";
import type { AuditedCycle } from "./cycle.ts";
import { describeSigner, type Signer } from "./signer.ts";

export interface AuditedNodeList {
  /** In ascending order of ID; `undefined` if no list could be read. */
  readonly nodes: readonly ActiveNode[] | undefined;
  readonly report: EvidenceReport["nodeList"];
  readonly claim: Claim;
}

export async function auditNodeList(audit: Audit, cycle: AuditedCycle): Promise<AuditedNodeList> {
  const trusted = audit.trust.nodeList;
  const own = await audit.read(NODE_LIST_FILE, "node-list", parseNodeList);
  const signer = own === undefined ? "nobody" : audit.signerOf(own.value.received);
  if (signer === "invalid") {
    audit.findings.add("node-list", NODE_LIST_FILE, "the archiver's signature is invalid");
  }
  const skipped = own?.value.skipped;
  if (skipped !== undefined && skipped.count > 0) {
    audit.note(
      `${counted(skipped.count, "row")} of the node list ${isOrAre(skipped.count)} left out: ${describeRowProblems(skipped)}`,
    );
  }
  const members = own === undefined ? undefined : membersOf(own.value.nodes, cycle);
  if (trusted !== undefined) {
    const { skipped: rows } = trusted.list;
    if (rows.count > 0) {
      const which = describeRowProblems(rows);
      audit.note(
        `${counted(rows.count, "row")} of ${trusted.source} ${isOrAre(rows.count)} left out: ${which}`,
      );
    }
    // Unproved records neither remove a node from the auditor's list nor add one.
    const given = cycle.areAllProved ? membersOf(trusted.list.nodes, cycle).nodes : trusted.list.nodes;
    if (members !== undefined) compareLists(audit, members.nodes, given);
    return givenList(trusted, given);
  }
  const listClaim = claimOf(audit, own === undefined ? undefined : signer);
  if (own === undefined || members === undefined) return { nodes: undefined, report: null, claim: listClaim };
  const isUndone = members.isChanged && !cycle.areAllProved && listClaim.basis !== "told";
  const detail = `${listClaim.detail}; but its changes since the cycle follow from unproved records`;
  const claim: Claim = isUndone ? { ...listClaim, basis: "told", detail } : listClaim;
  const { nodes } = members;
  return { nodes, report: { source: "evidence", hash: own.hash, nodes: nodes.length }, claim };
}

/** Returns the nodes of the snapshot's cycle, derived from the list of a later cycle as in the assembly. */
function membersOf(
  listed: readonly ActiveNode[],
  { record, records }: AuditedCycle,
): { readonly nodes: readonly ActiveNode[]; readonly isChanged: boolean } {
  if (record === undefined) return { nodes: listed, isChanged: false };
  const { nodes } = cycleNodesOf(listed, records, record);
  const isSame = nodes.length === listed.length && nodes.every(({ id }, index) => listed[index]?.id === id);
  return { nodes, isChanged: !isSame };
}

function givenList({ source, hash }: TrustedNodeList, nodes: readonly ActiveNode[]): AuditedNodeList {
  return {
    nodes,
    report: { source: "auditor", hash, nodes: nodes.length },
    claim: { claim: "nodeList", basis: "given", detail: `the ${counted(nodes.length, "node")} of ${source}` },
  };
}

/** @param signer `undefined` if the list cannot be read */
function claimOf(audit: Audit, signer: Signer | undefined): Claim {
  const { archiverKey } = audit.trust;
  if (signer === undefined) {
    return { claim: "nodeList", basis: "told", detail: `${NODE_LIST_FILE} cannot be read` };
  }
  if (typeof signer === "object" && signer.key === archiverKey) {
    const detail = `${NODE_LIST_FILE} is signed by the archiver's key that you gave`;
    return { claim: "nodeList", basis: "proved", detail };
  }
  if (archiverKey !== undefined) {
    audit.findings.add(
      "node-list",
      NODE_LIST_FILE,
      `${describeSigner(signer)}, not by the archiver's key ${archiverKey}`,
    );
  }
  const detail = `${NODE_LIST_FILE} names the nodes; ${describeSigner(signer)}`;
  return { claim: "nodeList", basis: "told", detail };
}

/** Checks that both lists have the same nodes with the same keys: everything else depends on the validator set. */
function compareLists(audit: Audit, own: readonly ActiveNode[], trusted: readonly ActiveNode[]): void {
  const keys = new Map(trusted.map((node) => [node.id, node.publicKey]));
  const unknown = own.filter((node) => keys.get(node.id) !== node.publicKey);
  const known = new Set(own.map((node) => node.id));
  const missing = trusted.filter((node) => !known.has(node.id));
  for (const [nodes, problem] of [
    [unknown, `${isOrAre(unknown.length)} not in the trusted list, or with another key`],
    [missing, `of the trusted list ${isOrAre(missing.length)} missing`],
  ] as const) {
    if (nodes.length === 0) continue;
    audit.findings.add(
      "node-list",
      NODE_LIST_FILE,
      `${counted(nodes.length, "node")} ${problem}${nodes.length === 1 ? ":" : ", the first is"} ${nodes[0]?.id}`,
    );
  }
}
