import { describe, expect, it } from "vitest";
import { canonicalTextOf } from "../../../src/protocol/crypto/canonical-text.ts";
import { hashText } from "../../../src/protocol/crypto/hash.ts";
import { auditCycles } from "../../../src/verify/evidence/cycle.ts";
import { auditTxList } from "../../../src/verify/evidence/tx-list.ts";
import { auditOf, byArchiver, chainOf, findingsOf, type SnapshotParts } from "../written-snapshot.ts";

const list = [{ hash: "a", tx: { type: "nodeReward", amount: { dataType: "bi", value: "1f" } } }];
const recorded = byArchiver({
  cycleInfo: chainOf({}, { txlisthash: hashText(canonicalTextOf(list)) }, { txlisthash: "" }),
});

async function findings(changes: Partial<SnapshotParts>): Promise<string[]> {
  const audit = await auditOf({ cycles: recorded, ...changes });
  const cycles = await auditCycles(audit);
  const before = findingsOf(audit);
  await auditTxList(audit, cycles);
  return findingsOf(audit).slice(before.length);
}

describe("the list of transactions in the evidence", () => {
  it("is right if a record has its hash, whatever the order of its keys", async () => {
    expect(await findings({ txList: list })).toEqual([]);
    const reordered = [{ tx: list[0]?.tx, hash: "a" }];
    expect(await findings({ txList: reordered })).toEqual([]);
  });

  it("may be missing", async () => {
    expect(await findings({})).toEqual([]);
  });

  it.each([
    { id: "is another one", txList: [{ hash: "b" }] },
    { id: "is empty", txList: [] },
  ])("has a finding if it $id", async ({ txList }) => {
    expect(await findings({ txList })).toEqual([
      expect.stringMatching(
        /^evidence evidence\/network-txs-list\.json: it hashes to [0-9a-f]{64}, which no record in evidence\/cycles\.json has$/,
      ),
    ]);
  });

  it("has a finding if it has no canonical text", async () => {
    const txList = [{ dataType: "bi", value: "not hex" }];
    expect(await findings({ txList })).toEqual([
      expect.stringContaining("evidence evidence/network-txs-list.json: "),
    ]);
  });
});
