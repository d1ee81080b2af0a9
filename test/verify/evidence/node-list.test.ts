import { describe, expect, it } from "vitest";
import type { TrustedNodeList } from "../../../src/verify/evidence/audit.ts";
import { auditCycles } from "../../../src/verify/evidence/cycle.ts";
import { auditNodeList } from "../../../src/verify/evidence/node-list.ts";
import { parseNodeList } from "../../../src/wire/node-list.ts";
import { hashNamed } from "../../helpers/brands.ts";
import {
  archiver,
  auditOf,
  byArchiver,
  chain,
  chainOf,
  findingsOf,
  identities,
  rows,
  type SnapshotParts,
} from "../written-snapshot.ts";

interface Given {
  readonly archiverKey?: string;
  readonly nodeList?: unknown[];
}

async function audited(changes: Partial<SnapshotParts>, { archiverKey, nodeList }: Given = {}) {
  const trusted = nodeList === undefined ? undefined : trustedOf(nodeList);
  const audit = await auditOf(changes, { archiverKey, nodeList: trusted });
  const result = await auditNodeList(audit, await auditCycles(audit));
  return { ...result, findings: findingsOf(audit), notes: audit.notes };
}

function trustedOf(list: unknown[]): TrustedNodeList {
  return { list: parseNodeList(list, "mine"), source: "mine", hash: hashNamed("abc"), signer: undefined };
}

const zeros = "0".repeat(64);
const ids = identities.map(({ id }) => id);

describe("the node list of the evidence", () => {
  it("names the nodes, and is only told if the auditor gives nothing", async () => {
    const { nodes, report, claim, findings } = await audited({});
    expect(nodes?.map(({ id }) => id)).toEqual(ids);
    expect(report).toEqual({ source: "evidence", hash: expect.stringMatching(/^\w{64}$/), nodes: 5 });
    expect(claim).toMatchObject({ basis: "told", detail: expect.stringContaining(archiver.publicKey) });
    expect(findings).toEqual([]);
  });

  it("is proved by the auditor's archiver key", async () => {
    const { claim, findings } = await audited({}, { archiverKey: archiver.publicKey });
    expect([claim.basis, findings]).toEqual(["proved", []]);
  });

  it("has a finding if another key or nobody has signed it, or its signature is invalid", async () => {
    const other = await audited({}, { archiverKey: zeros });
    expect(other.claim.basis).toBe("told");
    expect(other.findings.join()).toContain(`node-list.json: it is signed by ${archiver.publicKey}, not by`);
    const invalid = await audited({ nodeList: { ...byArchiver({ nodeList: [] }), nodeList: rows } });
    expect(invalid.findings).toEqual([
      "node-list evidence/node-list.json: the archiver's signature is invalid",
    ]);
  });

  it("has a finding if it cannot be read, and the votes then have no nodes", async () => {
    const { nodes, report, claim, findings } = await audited({ nodeList: 7 });
    expect([nodes, report]).toEqual([undefined, null]);
    expect(claim.detail).toBe("evidence/node-list.json cannot be read");
    expect(findings).toHaveLength(1);
  });

  it("has a note for malformed rows", async () => {
    const { notes } = await audited({ nodeList: [...rows, { id: "x" }, 7] });
    expect(notes).toEqual([expect.stringMatching(/^2 rows of the node list are left out: /)]);
  });

  it("of a later cycle has the changes since the snapshot's cycle undone, which unproved records do not prove", async () => {
    const joined = { id: "f".repeat(64), publicKey: zeros, ip: "127.0.0.1", port: 9 };
    const cycles = byArchiver({ cycleInfo: chainOf({}, { activated: [joined.id] }) });
    const nodeList = byArchiver({ nodeList: [...rows, joined] });
    const proved = await audited({ cycles, nodeList }, { archiverKey: archiver.publicKey });
    expect(proved.nodes?.map(({ id }) => id)).toEqual(ids);
    expect([proved.claim.basis, proved.findings]).toEqual(["proved", []]);
    const unproved = await audited(
      { cycles: { cycleInfo: chainOf({}, { activated: [joined.id] }) }, nodeList },
      { archiverKey: archiver.publicKey },
    );
    expect(unproved.nodes?.map(({ id }) => id)).toEqual(ids);
    expect(unproved.claim).toMatchObject({
      basis: "told",
      detail: expect.stringContaining("follow from unproved records"),
    });
  });

  it("is taken as it is if the record of the cycle is missing", async () => {
    const { nodes } = await audited({ cycles: { cycleInfo: chain.slice(1) } });
    expect(nodes?.map(({ id }) => id)).toEqual(ids);
  });
});

describe("the auditor's node list", () => {
  it("determines the nodes", async () => {
    const { nodes, report, claim, findings } = await audited({}, { nodeList: rows });
    expect(nodes).toHaveLength(5);
    expect(report).toEqual({ source: "auditor", hash: hashNamed("abc"), nodes: 5 });
    expect(claim).toEqual({ claim: "nodeList", basis: "given", detail: "the 5 nodes of mine" });
    expect(findings).toEqual([]);
  });

  it("has a finding for each difference from the evidence", async () => {
    const [first, second, ...others] = rows;
    const { findings } = await audited({}, { nodeList: [{ ...first, publicKey: zeros }, ...others] });
    expect(findings).toEqual([
      `node-list evidence/node-list.json: 2 nodes are not in the trusted list, or with another key, the first is ${first?.id}`,
    ]);
    const more = await audited({ nodeList: [first, ...others] }, { nodeList: rows });
    expect(more.findings).toEqual([
      `node-list evidence/node-list.json: 1 node of the trusted list is missing: ${second?.id}`,
    ]);
  });

  it("is used if the evidence has none, with a note for its malformed rows", async () => {
    const { nodes, notes } = await audited({ nodeList: 7 }, { nodeList: [...rows, { id: "x" }] });
    expect(nodes).toHaveLength(5);
    expect(notes).toEqual([expect.stringMatching(/^1 row of mine is left out: /)]);
  });

  it("of a later cycle has the changes of proved records undone, and no others", async () => {
    const joined = { id: "f".repeat(64), publicKey: zeros, ip: "127.0.0.1", port: 9 };
    const records = chainOf({}, { activated: [joined.id] });
    const given = { archiverKey: archiver.publicKey, nodeList: [...rows, joined] };
    const proved = await audited({ cycles: byArchiver({ cycleInfo: records }) }, given);
    expect(proved.nodes).toHaveLength(5);
    const unproved = await audited({ cycles: { cycleInfo: records } }, given);
    expect(unproved.nodes).toHaveLength(6);
  });
});
