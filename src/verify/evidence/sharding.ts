/** Audits the sharding settings: the auditor gives them, the cycle record proves them, or only the evidence states them. */

import {
  COUNTING_FILE,
  type CountingRules,
  parseCountingRules,
} from "../../format/evidence/counting-rules.ts";
import { CYCLES_FILE } from "../../format/evidence/cycles.ts";
import { NETCONFIG_FILE, parseNetconfigProof } from "../../format/evidence/netconfig.ts";
import { canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import { networkConfigHashOf } from "../../protocol/cycle-record.ts";
import { counted } from "../../text/counted.ts";
import type { ShardingConfig } from "../../wire/netconfig.ts";
import type { Claim, ClaimBasis } from "../findings/claims.ts";
import type { Audit } from "./audit.ts";
import type { AuditedCycle } from "./cycle.ts";

export interface AuditedSharding {
  /** `undefined` if they are unknown. */
  readonly settings: ShardingConfig | undefined;
  readonly claim: Claim;
  /** Whether they hash to the value in the cycle's record, proved or not. */
  readonly isRecorded: boolean;
}

interface RecordedSharding extends AuditedSharding {
  readonly settings: ShardingConfig;
}

export async function auditSharding(audit: Audit, cycle: AuditedCycle): Promise<AuditedSharding> {
  const counting = (await audit.read(COUNTING_FILE, "evidence", parseCountingRules))?.value;
  const proof = await proofOf(audit, cycle);
  const { nodesPerConsensusGroup, nodesPerEdge } = audit.trust;
  const isListKnown = audit.subject.files !== undefined;
  if (counting?.sharding.source === "proved" && proof === undefined && isListKnown) {
    audit.findings.add(
      "sharding",
      COUNTING_FILE,
      `it states that the settings are proved, but no ${NETCONFIG_FILE} proves them`,
    );
  }
  if (proof !== undefined) compare(audit, counting, proof.settings, NETCONFIG_FILE);
  if (nodesPerConsensusGroup !== undefined) {
    const edge = nodesPerEdge ?? proof?.settings.nodesPerEdge ?? counting?.sharding.nodesPerEdge;
    const settings = { nodesPerConsensusGroup, nodesPerEdge: edge };
    if (counting !== undefined)
      compare(audit, counting, { nodesPerConsensusGroup, nodesPerEdge }, "the auditor");
    return { settings, claim: claimOf("given", describe(settings)), isRecorded: false };
  }
  if (proof !== undefined) return proof;
  if (counting === undefined) {
    const claim = claimOf("told", `${COUNTING_FILE} does not state them`);
    return { settings: undefined, claim, isRecorded: false };
  }
  return {
    settings: counting.sharding,
    claim: claimOf("told", `${COUNTING_FILE} states ${describe(counting.sharding)}`),
    isRecorded: false,
  };
}

/**
 * Returns the settings of the `/netconfig` response in the evidence, if it hashes to the value in the cycle's record.
 */
async function proofOf(audit: Audit, { record, claim }: AuditedCycle): Promise<RecordedSharding | undefined> {
  const { files, hashKey } = audit.subject;
  // A file that the run record does not list is a finding, not evidence.
  if (files?.[NETCONFIG_FILE] === undefined) return undefined;
  const netconfig = await audit.read(NETCONFIG_FILE, "sharding", parseNetconfigProof);
  if (netconfig === undefined) return undefined;
  const { config } = netconfig.value;
  const { nodesPerConsensusGroup, nodesPerEdge } = netconfig.value.settings;
  const settings = { nodesPerConsensusGroup, nodesPerEdge: nodesPerEdge ?? radiusOf(nodesPerConsensusGroup) };
  const hash = audit.hashing(NETCONFIG_FILE, "sharding", () => hashText(canonicalTextOf(config), hashKey));
  if (hash === undefined) return undefined;
  const recorded = record === undefined ? undefined : networkConfigHashOf(record);
  if (hash !== recorded) {
    const problem = `its config hashes to ${hash}, but the cycle's record in ${CYCLES_FILE} has ${recorded ?? "none"}`;
    audit.findings.add("sharding", NETCONFIG_FILE, problem);
    return undefined;
  }
  // The proof is only as strong as that of the record.
  const basis = claim.basis === "told" ? "told" : "proved";
  const doubt = basis === "told" ? ", which itself is unproved" : "";
  const detail = `${NETCONFIG_FILE} states ${describe(settings)}, and hashes to the value in the cycle's record${doubt}`;
  return { settings, claim: claimOf(basis, detail), isRecorded: true };
}

function compare(
  audit: Audit,
  counting: CountingRules | undefined,
  { nodesPerConsensusGroup, nodesPerEdge }: ShardingConfig,
  whose: string,
): void {
  if (counting === undefined) return;
  const { sharding } = counting;
  // An even group size is rounded up to an odd one, which has the same radius.
  const isSame =
    radiusOf(sharding.nodesPerConsensusGroup) === radiusOf(nodesPerConsensusGroup) &&
    (nodesPerEdge === undefined || sharding.nodesPerEdge === nodesPerEdge);
  if (isSame) return;
  const problem = `it states ${describe(sharding)}, but ${whose} states ${describe({ nodesPerConsensusGroup, nodesPerEdge })}`;
  audit.findings.add("sharding", COUNTING_FILE, problem);
}

function radiusOf(nodesPerConsensusGroup: number): number {
  return Math.floor(nodesPerConsensusGroup / 2);
}

function describe({ nodesPerConsensusGroup, nodesPerEdge }: ShardingConfig): string {
  const edge = nodesPerEdge === undefined ? "" : ` and ${nodesPerEdge} per edge`;
  return `${counted(nodesPerConsensusGroup, "node")} per consensus group${edge}`;
}

function claimOf(basis: ClaimBasis, detail: string): Claim {
  return { claim: "sharding", basis, detail };
}
