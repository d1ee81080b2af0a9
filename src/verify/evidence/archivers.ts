/** Audits the list of archivers, whom a restarted network asks. The state does not depend on it. */

import { ARCHIVERS_FILE, parseArchiverList } from "../../format/evidence/archivers.ts";
import { archiverListHash, archiverListHashOf } from "../../protocol/archiver-list.ts";
import { counted } from "../../text/counted.ts";
import type { Claim } from "../findings/claims.ts";
import type { Audit } from "./audit.ts";
import type { AuditedCycle } from "./cycle.ts";
import { describeSigner } from "./signer.ts";

/**
 * Checks the list, if the evidence has one. An archiver lists those that it sees up, so the hash of all of them in a cycle
 * record can confirm the list, but cannot disprove it.
 *
 * @returns the claim that these are the archivers; `undefined` if the evidence has no list
 */
export async function auditArchivers(
  audit: Audit,
  { records, proved }: AuditedCycle,
): Promise<Claim | undefined> {
  const { files, hashKey } = audit.subject;
  if (files?.[ARCHIVERS_FILE] === undefined) return undefined;
  const list = await audit.read(ARCHIVERS_FILE, "evidence", parseArchiverList);
  if (list === undefined) return told(`${ARCHIVERS_FILE} cannot be read`);
  const { archivers, received } = list.value;
  const signer = audit.signerOf(received);
  if (signer === "invalid") {
    audit.findings.add("evidence", ARCHIVERS_FILE, "the archiver's signature is invalid");
    return told(`${ARCHIVERS_FILE}: ${describeSigner(signer)}`);
  }
  const names = `${ARCHIVERS_FILE} names ${counted(archivers.length, "archiver")}`;
  if (typeof signer === "object" && signer.key === audit.trust.archiverKey) {
    return { claim: "archivers", basis: "proved", detail: `${names}; you gave the key that signed it` };
  }
  const hash = archiverListHash(archivers, hashKey);
  const confirming = records.filter((record) => archiverListHashOf(record) === hash);
  const record = confirming.find((one) => proved.has(one));
  if (record !== undefined) {
    const detail = `${names}: all that there were before the changes of record ${record.counter}`;
    return { claim: "archivers", basis: "proved", detail };
  }
  const [unproved] = confirming;
  return told(
    unproved === undefined
      ? `${names}; no record in the evidence has the hash of such a list, so there may be others; ${describeSigner(signer)}`
      : `${names}, as record ${unproved.counter} does, which itself is unproved`,
  );
}

function told(detail: string): Claim {
  return { claim: "archivers", basis: "told", detail };
}
