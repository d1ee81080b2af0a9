/** Audits the network's list of transactions, which restarting needs. */

import { CYCLES_FILE } from "../../format/evidence/cycles.ts";
import { TX_LIST_FILE } from "../../format/evidence/tx-list.ts";
import { canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import { txListHashOf } from "../../protocol/cycle-record.ts";
import type { Audit } from "./audit.ts";
import type { AuditedCycle } from "./cycle.ts";

/** Checks that a cycle record has the hash of the list, if the evidence has a list. */
export async function auditTxList(audit: Audit, { records }: AuditedCycle): Promise<void> {
  const { files, hashKey } = audit.subject;
  if (files?.[TX_LIST_FILE] === undefined) return;
  const list = await audit.read(TX_LIST_FILE, "evidence", (received) => received);
  if (list === undefined) return;
  const hash = audit.hashing(TX_LIST_FILE, "evidence", () => hashText(canonicalTextOf(list.value), hashKey));
  if (hash === undefined || records.some((record) => txListHashOf(record) === hash)) return;
  audit.findings.add("evidence", TX_LIST_FILE, `it hashes to ${hash}, which no record in ${CYCLES_FILE} has`);
}
