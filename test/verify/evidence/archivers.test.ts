import { describe, expect, it } from "vitest";
import { archiverListHash } from "../../../src/protocol/archiver-list.ts";
import { asPublicKey } from "../../../src/protocol/brands.ts";
import type { Trust } from "../../../src/verify/evidence/audit.ts";
import { auditEvidence } from "../../../src/verify/evidence/evidence.ts";
import {
  archiver,
  auditOf,
  byArchiver,
  chainOf,
  exportData,
  hashKey,
  type SnapshotParts,
} from "../written-snapshot.ts";

const row = { publicKey: archiver.publicKey, ip: "127.0.0.1", port: 4000 };
const other = { publicKey: asPublicKey("0".repeat(63).concat("1")), ip: "192.0.2.7", port: 4001 };
const list = { activeArchivers: [row, other] };

/** Records, the second of which has the hash of these archivers. */
const recordsWith = (...archivers: (typeof row)[]) => {
  const hash = archiverListHash(archivers, hashKey);
  const { cycle, networkHash } = exportData;
  return chainOf({}, { archiverListHash: hash, networkDataHash: [{ cycle, hash: networkHash }] });
};

async function audit(changes: Partial<SnapshotParts>, trust: Trust = {}) {
  const { subject, findings } = await auditOf({ netconfig: undefined, ...changes });
  const report = await auditEvidence(subject, { trust, require: "told" }, findings);
  const problems = findings.all.filter(({ file }) => file === "evidence/archivers.json");
  return {
    claim: report.claims.find(({ claim }) => claim === "archivers"),
    problems: problems.map(({ kind, problem }) => `${kind}: ${problem}`),
  };
}

describe("the list of archivers in the evidence", () => {
  it("may be missing, and is then no claim", async () => {
    expect(await audit({})).toEqual({ claim: undefined, problems: [] });
  });

  it("is proved by a proved record with its hash, in whatever order it lists them", async () => {
    const cycleInfo = recordsWith(other, row);
    const marker = String(cycleInfo.at(-1)?.["marker"]);
    const { claim, problems } = await audit({ archivers: list, cycles: { cycleInfo } }, { marker });
    expect(problems).toEqual([]);
    expect(claim).toMatchObject({ basis: "proved" });
    expect(claim?.detail).toMatch(/names 2 archivers: all that there were before the changes of record \d+$/);
  });

  it("is proved by the key of the archiver that signed it", async () => {
    const { claim } = await audit({ archivers: byArchiver(list) }, { archiverKey: archiver.publicKey });
    expect(claim).toMatchObject({ basis: "proved", detail: expect.stringContaining("you gave the key") });
  });

  it("is only told if the record with its hash is unproved", async () => {
    const { claim, problems } = await audit({
      archivers: list,
      cycles: { cycleInfo: recordsWith(row, other) },
    });
    expect(problems).toEqual([]);
    expect(claim).toMatchObject({ basis: "told", detail: expect.stringContaining("itself is unproved") });
  });

  it("is only told if it lacks an archiver, which may have been down", async () => {
    const cycleInfo = recordsWith(row, other);
    const marker = String(cycleInfo.at(-1)?.["marker"]);
    const { claim, problems } = await audit(
      { archivers: { activeArchivers: [row] }, cycles: { cycleInfo } },
      { marker },
    );
    expect(problems).toEqual([]);
    expect(claim).toMatchObject({
      basis: "told",
      detail: expect.stringContaining("so there may be others; it is not signed"),
    });
  });

  it("needs no proof where proof is required, because the state does not depend on it", async () => {
    const { subject, findings } = await auditOf({ archivers: list });
    await auditEvidence(subject, { trust: {}, require: "proved" }, findings);
    expect(findings.all.map(({ claim }) => claim)).toEqual(["nodeList", "cycle", "sharding"]);
  });

  it.each([
    {
      id: "has an invalid signature",
      archivers: { ...byArchiver(list), activeArchivers: [row] },
      says: /^evidence: the archiver's signature is invalid$/,
    },
    {
      id: "has another form",
      archivers: { activeArchivers: [{ ...row, port: "x" }] },
      says: /^evidence: .*expected a port/,
    },
  ])("has a finding if it $id", async ({ archivers, says }) => {
    const { claim, problems } = await audit({ archivers });
    expect(problems).toEqual([expect.stringMatching(says)]);
    expect(claim).toMatchObject({ basis: "told" });
  });
});
