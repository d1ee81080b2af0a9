/** Audits the snapshot's cycle: its record, the proof of that record, and the network hash in later records. */

import { CYCLES_FILE } from "../../format/evidence/cycles.ts";
import type { Manifest } from "../../format/manifest.ts";
import { type CycleRecord, cycleEndMs } from "../../protocol/cycle-record.ts";
import { counted, isOrAre } from "../../text/counted.ts";
import { checkChain } from "../../trust/chain/cycle-chain.ts";
import { numNodesOfCycle } from "../../trust/chain/membership.ts";
import { provedRecords } from "../../trust/chain/proved-records.ts";
import { type CycleRecords, parseCycleRecords } from "../../wire/cycle-records.ts";
import { describeRowProblems } from "../../wire/row-problems.ts";
import type { Claim } from "../findings/claims.ts";
import type { ChainWitness } from "../findings/findings.ts";
import type { Audit } from "./audit.ts";
import { describeSigner, type Signer } from "./signer.ts";

export interface AuditedCycle {
  /** The record of the snapshot's cycle. */
  readonly record: CycleRecord | undefined;
  /** All records, ascending by number. */
  readonly records: readonly CycleRecord[];
  /** The records that data from the auditor proves. */
  readonly proved: ReadonlySet<CycleRecord>;
  /** Whether it proves all of them. */
  readonly areAllProved: boolean;
  readonly claim: Claim;
  readonly chain: ChainWitness;
}

export async function auditCycles(audit: Audit): Promise<AuditedCycle> {
  const cycles = await audit.read(CYCLES_FILE, "chain", parseCycleRecords);
  if (cycles === undefined) {
    const claim = told(`${CYCLES_FILE} cannot be read`);
    return { record: undefined, records: [], proved: new Set(), areAllProved: false, claim, chain: "unread" };
  }
  const { records, responses, skipped } = cycles.value;
  if (skipped.count > 0)
    audit.note(
      `${counted(skipped.count, "cycle record")} ${isOrAre(skipped.count)} left out: ${describeRowProblems(skipped)}`,
    );
  const signer = signerOfAll(responses.map((response) => audit.signerOf(response)));
  if (signer === "invalid") audit.findings.add("chain", CYCLES_FILE, "the archiver's signature is invalid");
  const isBroken = checkLinks(audit, records);
  const proof = proofOf(audit, cycles.value, signer);
  const cycle = audit.subject.manifest.blockHeight;
  const ofCycle = records.filter(({ counter }) => counter === cycle);
  const record = ofCycle.find((one) => proof.proved.has(one)) ?? ofCycle[0];
  checkRecord(audit, record, records);
  const isProved = record !== undefined && proof.proved.has(record);
  if (!isProved) requireArchiverKey(audit, signer);
  return {
    record,
    records,
    proved: proof.proved,
    areAllProved: records.every((one) => proof.proved.has(one)),
    claim: isProved ? { claim: "cycle", basis: "proved", detail: proof.detail } : told(proof.detail),
    chain: networkHashWitness(audit, records, proof.proved, isBroken),
  };
}

/** Returns the signer of records that were received in several responses. */
function signerOfAll(signers: readonly Signer[]): Signer {
  const [first = "nobody", ...others] = signers;
  if (signers.includes("invalid")) return "invalid";
  const key = typeof first === "object" ? first.key : undefined;
  const isSame = others.every((signer) => typeof signer === "object" && signer.key === key);
  return isSame ? first : "nobody";
}

interface Proof {
  readonly proved: ReadonlySet<CycleRecord>;
  readonly detail: string;
}

/** Returns the records that data from the auditor proves. */
function proofOf(audit: Audit, { records }: CycleRecords, signer: Signer): Proof {
  const { trust, subject } = audit;
  if (typeof signer === "object") {
    const proved = new Set(records);
    if (signer.key === trust.archiverKey)
      return { proved, detail: `${CYCLES_FILE} is signed by the archiver's key that you gave` };
    if (signer.key === trust.nodeList?.signer)
      return { proved, detail: `${CYCLES_FILE} is signed by the key that signed your node list` };
  }
  const detail = `${CYCLES_FILE} has the record of cycle ${subject.manifest.blockHeight}; ${describeSigner(signer)}`;
  const { marker } = trust;
  if (marker === undefined) return { proved: new Set(), detail };
  const linked = provedRecords(records, marker, subject.hashKey).records;
  const [newest] = linked;
  const oldest = linked.at(-1);
  if (newest === undefined || oldest === undefined) {
    audit.findings.add("chain", CYCLES_FILE, `no record in it has the marker that you trust, ${marker}`);
    return { proved: new Set(), detail: `no record in ${CYCLES_FILE} has the marker that you trust` };
  }
  return {
    proved: new Set(linked),
    detail: `your marker is that of record ${newest.counter}, which proves the records down to ${oldest.counter}`,
  };
}

function told(detail: string): Claim {
  return { claim: "cycle", basis: "told", detail };
}

function requireArchiverKey({ trust: { archiverKey }, findings }: Audit, signer: Signer): void {
  if (archiverKey === undefined) return;
  findings.add("chain", CYCLES_FILE, `${describeSigner(signer)}, not by the archiver's key ${archiverKey}`);
}

/** Returns whether the chain is broken. */
function checkLinks(audit: Audit, records: readonly CycleRecord[]): boolean {
  const links = audit.hashing(CYCLES_FILE, "chain", () => checkChain(records, audit.subject.hashKey));
  for (const { severity, problem } of links ?? []) {
    if (severity === "broken") audit.findings.add("chain", CYCLES_FILE, problem);
    else audit.note(`the cycle chain: ${problem}`);
  }
  return links === undefined || links.some(({ severity }) => severity === "broken");
}

function checkRecord(
  { subject: { manifest }, findings }: Audit,
  record: CycleRecord | undefined,
  records: readonly CycleRecord[],
): void {
  const problem = record === undefined ? "is missing" : recordProblem(record, records, manifest.snapshot);
  if (problem === undefined) return;
  findings.add("chain", CYCLES_FILE, `the record of cycle ${manifest.blockHeight} ${problem}`);
}

function recordProblem(
  record: CycleRecord,
  records: readonly CycleRecord[],
  { timestamp, numPartitions }: Manifest["snapshot"],
): string | undefined {
  if (cycleEndMs(record) !== timestamp) return `ends at ${cycleEndMs(record)}, not at ${timestamp}`;
  const numNodes = numNodesOfCycle(records, record);
  return numNodes === numPartitions
    ? undefined
    : `gives ${counted(numNodes, "node")}, but the snapshot has ${counted(numPartitions, "partition")}`;
}

/**
 * Compares the network hash with those in the records. Any record can contradict it; only a proved one can confirm it. In
 * a broken chain a contradiction counts as a finding about the chain, as in a run, which ends there.
 */
function networkHashWitness(
  { subject: { manifest }, findings }: Audit,
  records: readonly CycleRecord[],
  proved: ReadonlySet<CycleRecord>,
  isBroken: boolean,
): ChainWitness {
  const { networkHash } = manifest.snapshot;
  const kind = isBroken ? "chain" : "network-hash";
  let witness: ChainWitness = "silent";
  for (const record of records) {
    for (const { cycle, hash } of record.networkDataHash) {
      if (cycle !== manifest.blockHeight) continue;
      if (hash !== networkHash) {
        findings.add(kind, CYCLES_FILE, `a record names the network hash ${hash}, not ${networkHash}`);
      } else if (proved.has(record)) witness = "confirms";
      else if (witness === "silent") witness = "told";
    }
  }
  return witness;
}
