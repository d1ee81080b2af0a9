import { describe, expect, it } from "vitest";
import type { Trust } from "../../../src/verify/evidence/audit.ts";
import { auditCycles } from "../../../src/verify/evidence/cycle.ts";
import { auditSharding } from "../../../src/verify/evidence/sharding.ts";
import {
  archiver,
  auditOf,
  byArchiver,
  chainOf,
  counting,
  findingsOf,
  netconfig,
  type SnapshotParts,
} from "../written-snapshot.ts";

async function audited(changes: Partial<SnapshotParts> = {}, trust: Trust = {}) {
  const audit = await auditOf(changes, trust);
  const result = await auditSharding(audit, await auditCycles(audit));
  return { ...result, findings: findingsOf(audit) };
}

const countingOf = (nodesPerConsensusGroup: number, nodesPerEdge: number, source = "told") => ({
  ...counting,
  sharding: { nodesPerConsensusGroup, nodesPerEdge, source },
});
const proving = { archiverKey: archiver.publicKey };

describe("the sharding settings", () => {
  it("are proved by a response that hashes to the value in a proved record", async () => {
    const { settings, claim, isRecorded, findings } = await audited({}, proving);
    expect(settings).toEqual({ nodesPerConsensusGroup: 3, nodesPerEdge: 0 });
    expect(claim).toMatchObject({ claim: "sharding", basis: "proved" });
    expect([isRecorded, findings]).toEqual([true, []]);
  });

  it("are told if the record that proves them is itself unproved", async () => {
    const { claim, isRecorded } = await audited();
    expect(claim).toMatchObject({
      basis: "told",
      detail: expect.stringContaining("which itself is unproved"),
    });
    expect(isRecorded).toBe(true);
  });

  it("are told by the evidence if no response proves them", async () => {
    const { settings, claim, isRecorded, findings } = await audited({
      netconfig: undefined,
      counting: countingOf(3, 0),
    });
    expect(settings).toMatchObject({ nodesPerConsensusGroup: 3, nodesPerEdge: 0 });
    expect(claim).toMatchObject({
      basis: "told",
      detail: "evidence/counting.json states 3 nodes per consensus group and 0 per edge",
    });
    expect([isRecorded, findings]).toEqual([false, []]);
  });

  it("are unknown if neither states them", async () => {
    const { settings, claim, findings } = await audited({ netconfig: undefined, counting: {} });
    expect(settings).toBeUndefined();
    expect(claim.detail).toBe("evidence/counting.json does not state them");
    expect(findings).toEqual([expect.stringMatching(/^evidence evidence\/counting\.json: /)]);
  });

  it("have a finding if the evidence states falsely that they are proved", async () => {
    const { findings } = await audited({ netconfig: undefined });
    expect(findings).toEqual([expect.stringContaining("but no evidence/netconfig.json proves them")]);
  });

  it.each([
    {
      id: "has another hash",
      netconfig: { config: { ...netconfig.config, more: 1 } },
      says: /its config hashes to \w+, but/,
    },
    { id: "is malformed", netconfig: { config: {} }, says: /^sharding evidence\/netconfig\.json: / },
  ])("have a finding for a response that $id", async ({ netconfig: response, says }) => {
    const { isRecorded, findings } = await audited({ netconfig: response, counting: countingOf(3, 0) });
    expect(isRecorded).toBe(false);
    expect(findings).toEqual([expect.stringMatching(says)]);
  });

  it("have a finding for a response if the record has no hash", async () => {
    const { findings } = await audited({
      cycles: byArchiver({ cycleInfo: chainOf({}) }),
      counting: countingOf(3, 0),
    });
    expect(findings).toEqual([
      expect.stringContaining("but the cycle's record in evidence/cycles.json has none"),
    ]);
  });

  it("have a finding for a response that is nested too deeply", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(900)}1${"}".repeat(900)}`) as object;
    const response = { config: { ...netconfig.config, deep } };
    const { isRecorded, findings } = await audited({ netconfig: response, counting: countingOf(3, 0) });
    expect(isRecorded).toBe(false);
    expect(findings).toHaveLength(1);
  });

  it("have a finding if the evidence states others than the proof", async () => {
    const { findings } = await audited({ counting: countingOf(5, 0, "proved") }, proving);
    expect(findings).toEqual([
      "sharding evidence/counting.json: it states 5 nodes per consensus group and 0 per edge, but evidence/netconfig.json states 3 nodes per consensus group and 0 per edge",
    ]);
  });

  it("of an even group size are those of the next odd one", async () => {
    const { findings } = await audited({ counting: countingOf(2, 0, "proved") }, proving);
    expect(findings).toEqual([]);
  });
});

describe("the auditor's sharding settings", () => {
  it("take precedence over a proof, and need no record", async () => {
    const trust = { nodesPerConsensusGroup: 3, nodesPerEdge: 0 };
    const { settings, claim, isRecorded, findings } = await audited({}, trust);
    expect(settings).toEqual(trust);
    expect(claim.basis).toBe("given");
    expect([isRecorded, findings]).toEqual([false, []]);
  });

  it("have the number per edge of the proof, else of the evidence if the auditor gives none", async () => {
    const ofProof = await audited({}, { nodesPerConsensusGroup: 3 });
    expect(ofProof.settings?.nodesPerEdge).toBe(0);
    const ofEvidence = await audited(
      { netconfig: undefined, counting: countingOf(3, 2) },
      { nodesPerConsensusGroup: 3 },
    );
    expect(ofEvidence.settings?.nodesPerEdge).toBe(2);
    const ofNobody = await audited({ netconfig: undefined, counting: {} }, { nodesPerConsensusGroup: 3 });
    expect(ofNobody.settings).toEqual({ nodesPerConsensusGroup: 3, nodesPerEdge: undefined });
    expect(ofNobody.claim.detail).toBe("3 nodes per consensus group");
  });

  it("have a finding if the evidence states others", async () => {
    const { findings } = await audited({}, { nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
    expect(findings).toEqual([
      "sharding evidence/counting.json: it states 3 nodes per consensus group and 0 per edge, but the auditor states 3 nodes per consensus group and 1 per edge",
    ]);
  });
});
