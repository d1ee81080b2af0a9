import { describe, expect, it } from "vitest";
import { hashText } from "../../../src/protocol/crypto/hash.ts";
import type { Trust } from "../../../src/verify/evidence/audit.ts";
import { auditCycles } from "../../../src/verify/evidence/cycle.ts";
import { parseNodeList } from "../../../src/wire/node-list.ts";
import { hashNamed } from "../../helpers/brands.ts";
import {
  archiver,
  auditOf,
  byArchiver,
  chain,
  chainOf,
  configHash,
  cycle,
  exportData,
  findingsOf,
  identities,
} from "../written-snapshot.ts";

async function audited(cycles: unknown, trust: Trust = {}) {
  const audit = await auditOf({ cycles }, trust);
  return { ...(await auditCycles(audit)), findings: findingsOf(audit), notes: audit.notes };
}

const markerOf = (index: number, records = chain) => String(records[index]?.["marker"]);
const named = (hash: string) => ({ networkDataHash: [{ cycle, hash }] });
const zeros = "0".repeat(64);

describe("the record of the snapshot's cycle", () => {
  it("is only told if the auditor gives nothing", async () => {
    const { claim, record, areAllProved, chain: witness, findings } = await audited({ cycleInfo: chain });
    expect(findings).toEqual([]);
    expect(record?.counter).toBe(cycle);
    expect(claim).toMatchObject({
      claim: "cycle",
      basis: "told",
      detail: expect.stringContaining("it is not signed"),
    });
    expect([areAllProved, witness]).toEqual([false, "told"]);
  });

  it("is proved by the auditor's archiver key", async () => {
    const trust = { archiverKey: archiver.publicKey };
    const {
      claim,
      areAllProved,
      chain: witness,
      findings,
    } = await audited(byArchiver({ cycleInfo: chain }), trust);
    expect(findings).toEqual([]);
    expect(claim).toMatchObject({
      basis: "proved",
      detail: expect.stringContaining("the archiver's key that you gave"),
    });
    expect([areAllProved, witness]).toEqual([true, "confirms"]);
  });

  it("is proved by the key that signed the auditor's node list", async () => {
    const list = parseNodeList([], "mine");
    const nodeList = { list, source: "mine", hash: hashNamed(""), signer: archiver.publicKey };
    const { claim } = await audited(byArchiver({ cycleInfo: chain }), { nodeList });
    expect(claim).toMatchObject({
      basis: "proved",
      detail: expect.stringContaining("signed your node list"),
    });
  });

  it("is proved by a marker of a later record, down to the first link that is missing", async () => {
    const { claim, areAllProved } = await audited({ cycleInfo: chain }, { marker: markerOf(1) });
    expect(claim).toMatchObject({
      basis: "proved",
      detail: `your marker is that of record ${cycle + 1}, which proves the records down to ${cycle}`,
    });
    expect(areAllProved).toBe(true);
    const partial = await audited({ cycleInfo: chain }, { marker: markerOf(0) });
    expect(partial.claim.basis).toBe("proved");
    expect([partial.areAllProved, partial.chain]).toEqual([false, "told"]);
  });

  it("has a finding if no record has the auditor's marker", async () => {
    const { claim, findings } = await audited({ cycleInfo: chain }, { marker: zeros });
    expect(claim.basis).toBe("told");
    expect(findings).toEqual([
      `chain evidence/cycles.json: no record in it has the marker that you trust, ${zeros}`,
    ]);
  });

  it.each([
    { id: "nobody", cycles: { cycleInfo: chain }, says: "it is not signed, not by the archiver's key" },
    {
      id: "different keys in two pages",
      cycles: [{ cycleInfo: chain.slice(0, 1) }, byArchiver({ cycleInfo: chain.slice(1) })],
      says: "it is not signed, not by the archiver's key",
    },
    {
      id: "another key",
      cycles: byArchiver({ cycleInfo: chain }),
      key: identities[0]?.publicKey,
      says: `it is signed by ${archiver.publicKey}, not by the archiver's key`,
    },
  ])(
    "has a finding if it is signed by $id, and not by the auditor's archiver",
    async ({ cycles, key, says }) => {
      const { claim, findings } = await audited(cycles, { archiverKey: key ?? archiver.publicKey });
      expect(claim.basis).toBe("told");
      expect(findings.join("\n")).toContain(says);
    },
  );

  it("is proved by one key on all pages", async () => {
    const cycles = chain.map((record) => byArchiver({ cycleInfo: [record] }));
    const { claim, findings } = await audited(cycles, { archiverKey: archiver.publicKey });
    expect([claim.basis, findings]).toEqual(["proved", []]);
  });

  it("has a finding for an invalid signature", async () => {
    const { findings } = await audited({ ...byArchiver({ cycleInfo: [] }), cycleInfo: chain });
    expect(findings).toEqual(["chain evidence/cycles.json: the archiver's signature is invalid"]);
  });

  it("has a finding if it is missing, or cannot be read", async () => {
    const missing = await audited({ cycleInfo: chain.slice(1) });
    expect(missing.record).toBeUndefined();
    expect(missing.findings).toEqual([`chain evidence/cycles.json: the record of cycle ${cycle} is missing`]);
    const unread = await audited({ cycleInfo: 7 });
    expect(unread).toMatchObject({ records: [], chain: "unread", claim: { basis: "told" } });
    expect(unread.findings).toHaveLength(1);
  });

  it("has a finding for another time, and for another number of nodes", async () => {
    const late = await audited({ cycleInfo: chainOf({ duration: 61 }) });
    expect(late.findings[0]).toMatch(/the record of cycle 7 ends at \d+, not at \d+/);
    const many = await audited({ cycleInfo: chainOf({}, { active: 6 }) });
    expect(many.findings).toEqual([
      "chain evidence/cycles.json: the record of cycle 7 gives 6 nodes, but the snapshot has 5 partitions",
    ]);
  });

  it("is the proved one of two records of a cycle", async () => {
    const other = chainOf({ networkConfigHash: zeros });
    const { record } = await audited({ cycleInfo: [...other, ...chain] }, { marker: markerOf(0) });
    expect(record?.received["networkConfigHash"]).toBe(configHash);
  });
});

describe("the cycle chain in the evidence", () => {
  it("has a finding for a broken link, and a note for a gap and for a malformed record", async () => {
    const changed = [chain[0], { ...chain[1], active: 4 }];
    const broken = await audited({ cycleInfo: changed });
    expect(broken.findings[0]).toMatch(/^chain .*: record 8 states the hash/);
    const unmarked = [...chain.map(({ marker: _, ...record }) => record), { counter: "x" }];
    const { notes, findings } = await audited({ cycleInfo: unmarked });
    expect(findings).toEqual([]);
    expect(notes[0]).toMatch(/^1 cycle record is left out: /);
    expect(notes[1]).toMatch(/^the cycle chain: record 7 has no marker/);
  });

  it("is silent if no record names the network hash of the cycle", async () => {
    const { chain: witness } = await audited({
      cycleInfo: chainOf({}, { networkDataHash: [{ cycle: cycle - 1, hash: zeros }] }),
    });
    expect(witness).toBe("silent");
  });

  it("contradicts another network hash, which is a finding about the chain if that is broken", async () => {
    const hash = hashText("other");
    const records = chainOf({}, named(hash));
    const { findings } = await audited({ cycleInfo: records });
    const says = `a record names the network hash ${hash}, not ${exportData.networkHash}`;
    expect(findings).toEqual([`network-hash evidence/cycles.json: ${says}`]);
    const broken = await audited({ cycleInfo: [{ ...records[0], start: 1 }, records[1]] });
    expect(broken.findings).toContain(`chain evidence/cycles.json: ${says}`);
  });
});
