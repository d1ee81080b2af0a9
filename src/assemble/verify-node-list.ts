/** Who may vote: the node list in the evidence, or the one that the auditor brings. */

import type { ActiveNode } from "../model/node.ts";
import { NODE_LIST_FILE } from "../model/snapshot-layout.ts";
import type { Claim } from "../verify/claims.ts";
import type { EvidenceReport } from "../verify/findings.ts";
import { parseNodeList } from "../wire/node-list.ts";
import { describeRowProblems } from "../wire/row-problems.ts";
import { type Audit, describeSigner, type Signer, type TrustedNodeList } from "./audit.ts";

export interface AuditedNodeList {
  /** In ascending order of ID; `undefined` where there is no list that could be read. */
  readonly nodes: readonly ActiveNode[] | undefined;
  readonly report: EvidenceReport["nodeList"];
  readonly claim: Claim;
}

export async function auditNodeList(audit: Audit): Promise<AuditedNodeList> {
  const trusted = audit.trust.nodeList;
  const own = await audit.read(NODE_LIST_FILE, "node-list", parseNodeList);
  const signer = own === undefined ? "nobody" : audit.signerOf(own.value.received);
  if (signer === "invalid") {
    audit.findings.add("node-list", NODE_LIST_FILE, "the archiver's signature does not hold");
  }
  const skipped = own?.value.skipped;
  if (skipped !== undefined && skipped.count > 0) {
    audit.note(`${skipped.count} rows of the node list are left out: ${describeRowProblems(skipped)}`);
  }
  if (trusted !== undefined) {
    if (own !== undefined) compareLists(audit, own.value.nodes, trusted.list.nodes);
    return givenList(trusted);
  }
  const claim = claimOf(audit, own === undefined ? undefined : signer);
  if (own === undefined) return { nodes: undefined, report: null, claim };
  const { nodes } = own.value;
  return { nodes, report: { source: "evidence", hash: own.hash, nodes: nodes.length }, claim };
}

function givenList({ list: { nodes }, source, hash }: TrustedNodeList): AuditedNodeList {
  return {
    nodes,
    report: { source: "auditor", hash, nodes: nodes.length },
    claim: { claim: "nodeList", basis: "given", detail: `the ${nodes.length} nodes of ${source}` },
  };
}

/** @param signer `undefined` where there is no list */
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

/** Who may vote is what all else rests on: the lists must name the same nodes with the same keys. */
function compareLists(audit: Audit, own: readonly ActiveNode[], trusted: readonly ActiveNode[]): void {
  const keys = new Map(trusted.map((node) => [node.id, node.publicKey]));
  const strangers = own.filter((node) => keys.get(node.id) !== node.publicKey);
  const known = new Set(own.map((node) => node.id));
  const missing = trusted.filter((node) => !known.has(node.id));
  for (const [nodes, problem] of [
    [strangers, "are not in the trusted list, or with another key"],
    [missing, "of the trusted list are missing"],
  ] as const) {
    if (nodes.length === 0) continue;
    audit.findings.add(
      "node-list",
      NODE_LIST_FILE,
      `${nodes.length} nodes ${problem}, the first is ${nodes[0]?.id}`,
    );
  }
}
