import { describe, expect, it } from "vitest";
import type { Trust } from "../../../src/verify/evidence/audit.ts";
import { auditEvidence } from "../../../src/verify/evidence/evidence.ts";
import { quorumClaim } from "../../../src/verify/evidence/quorum.ts";
import type { Requirement } from "../../../src/verify/findings/claims.ts";
import { archiver, auditOf, counting, findingsOf, type SnapshotParts } from "../written-snapshot.ts";

async function audit(trust: Trust, require: Requirement, changes: Partial<SnapshotParts> = {}) {
  const { subject, findings } = await auditOf(changes);
  const report = await auditEvidence(subject, { trust, require }, findings);
  return { report, findings: findings.all, problems: findingsOf({ findings } as never) };
}

const basesOf = ({ claims }: { claims: readonly { claim: string; basis: string }[] }) =>
  Object.fromEntries(claims.map(({ claim, basis }) => [claim, basis]));

describe("the evidence of a snapshot", () => {
  it("is consistent if the auditor gives nothing, and its claims are only told", async () => {
    const { report, problems } = await audit({}, "told");
    expect(problems).toEqual([]);
    expect(basesOf(report)).toEqual({ nodeList: "told", cycle: "told", sharding: "told", quorum: "given" });
    expect(report).toMatchObject({ chain: "told", nodeList: { source: "evidence", nodes: 5 }, notes: [] });
    expect(report.votes).toHaveLength(6);
  });

  it("is proved by the archiver's key", async () => {
    const { report, problems } = await audit({ archiverKey: archiver.publicKey }, "proved");
    expect(problems).toEqual([]);
    expect(basesOf(report)).toEqual({
      nodeList: "proved",
      cycle: "proved",
      sharding: "proved",
      quorum: "given",
    });
    expect(report.chain).toBe("confirms");
  });

  it("has a finding for each claim that is only told if proof is required", async () => {
    const { findings } = await audit({}, "proved");
    expect(findings).toMatchObject([
      { kind: "unproved", claim: "nodeList", file: "evidence/node-list.json" },
      { kind: "unproved", claim: "cycle", file: "evidence/cycles.json" },
      { kind: "unproved", claim: "sharding", file: "evidence/counting.json" },
    ]);
    expect(findings[0]?.problem).toMatch(/^only the snapshot states this: /);
  });

  it("is counted by the auditor's rule, whatever rule it states", async () => {
    const popular = { ...counting, quorum: { rule: "popular", source: "given" } };
    const { report } = await audit({}, "told", { counting: popular });
    expect(report.claims).toContainEqual(quorumClaim("majority"));
    const requested = await audit({ quorum: "popular" }, "told");
    expect(requested.report.claims).toContainEqual(quorumClaim("popular"));
    expect(requested.report.notes).toHaveLength(1);
  });
});

describe("the claim about the quorum", () => {
  it("states the auditor's rule", () => {
    expect(quorumClaim("majority")).toMatchObject({
      basis: "given",
      detail: "more than half of the nodes that cover a partition",
    });
    expect(quorumClaim("popular")).toMatchObject({
      detail: expect.stringContaining("the most popular hash"),
    });
  });
});
