import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeAnswer } from "../../src/merge/merge-answer.ts";
import { quickCopy } from "../../src/merge/quick-copy.ts";
import { accountCopyText, isGlobalAccount, type WrappedData } from "../../src/model/account-copy.ts";
import { canonicalTextOf } from "../../src/model/canonical.ts";
import { makeShard } from "../../src/model/shard.ts";
import { parseWrappedData } from "../../src/wire/wrapped-data.ts";
import { makeAccounts } from "../accounts.ts";
import { makeTarget } from "./answer-target.ts";

const seed = 20231114;
const shard = makeShard({ numNodes: 5, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const all = [-1, 0, 1, 2, 3, 4];

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const account = fc.record({
  accountId: hex,
  stateId: hex,
  data: fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
  timestamp: fc.nat({ max: 2 ** 45 }),
  syncData: fc.option(fc.record({ isGlobal: fc.boolean() }), { nil: undefined }),
});

/** A record as a validator sends it that writes its data canonically. */
function canonicalWire({ accountId, stateId, data, timestamp, syncData }: WrappedData): string {
  const tail = syncData === undefined ? "" : `,"syncData":${JSON.stringify(syncData)}`;
  return `{"accountId":"${accountId}","stateId":"${stateId}","data":${canonicalTextOf(data)},"timestamp":${timestamp}${tail}}`;
}

describe("the copy that is cut from a record", () => {
  it("is that which parsing makes, where the data came as canonical text", () => {
    fc.assert(
      fc.property(account as fc.Arbitrary<WrappedData>, (sent) => {
        const record = Buffer.from(canonicalWire(sent));
        const parsed = parseWrappedData(record, "test");
        const cut = quickCopy(record);
        expect(cut).toEqual({
          accountId: parsed.accountId,
          isGlobal: isGlobalAccount(parsed),
          bytes: Buffer.from(accountCopyText(parsed)).toString("latin1"),
        });
      }),
      { seed, numRuns: 500 },
    );
  });

  it("is not made of anything else than the usual record", () => {
    const sent = canonicalWire({
      accountId: "a".repeat(64),
      stateId: "b".repeat(64),
      data: {},
      timestamp: 1,
    });
    expect(quickCopy(Buffer.from(sent))).toBeDefined();
    for (const other of [
      sent.replace(/a{64}/, "A".repeat(64)),
      sent.replace('"data":{}', '"data":"{}"'),
      sent.replace('"data":{}', '"data":[]'),
      sent.replace('"timestamp":1', '"timestamp":1.5'),
      sent.replace('"timestamp":1', '"timestamp":01'),
      sent.replace('"timestamp":1', '"timestamp":"1"'),
      sent.replace(/\}$/, ',"syncData":{"isGlobal":1}}'),
      ` ${sent}`,
      sent.slice(0, -1),
      "{}",
      "",
    ]) {
      expect(quickCopy(Buffer.from(other)), other).toBeUndefined();
    }
  });

  it("never throws, whatever bytes come", () => {
    const sent = Buffer.from(
      canonicalWire({ accountId: "a".repeat(64), stateId: "b".repeat(64), data: { x: "é" }, timestamp: 1 }),
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(fc.nat(sent.length - 1), fc.nat(255)).map(([at, byte]) => {
        const changed = Uint8Array.from(sent);
        changed[at] = byte;
        return changed;
      }),
    );
    fc.assert(
      fc.property(bytes, (record) => {
        quickCopy(Buffer.from(record));
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

describe("an answer whose copies are cut", () => {
  const truth = makeAccounts(shard, { perPartition: 60, globals: 7 });
  const ask = (records: readonly string[], isQuick: boolean) => {
    const target = { ...makeTarget({ shard, truth, nodeIndex: 0, requested: all }), isQuick };
    const chunk = Buffer.from(`{"snapshot":[${records.join(",")}]}`);
    return mergeAnswer(chunksOf(chunk), target).then((report) => ({ report, target }));
  };

  it("gives the same partitions as one that is parsed", async () => {
    const records = truth.map(canonicalWire);
    const [cut, parsed] = [await ask(records, true), await ask(records, false)];
    expect(cut.report.wrong).toEqual([]);
    expect(cut.report.isUncanonical).toBe(false);
    expect([...cut.target.taken].map(([partition, { text }]) => [partition, text])).toEqual(
      [...parsed.target.taken].map(([partition, { text }]) => [partition, text]),
    );
  });

  it("is known for what it is where its data are not canonical, and blames nobody", async () => {
    // Canonical at first, so that only the hash can tell.
    const records = truth.map((sent, index) => (index < 100 ? canonicalWire(sent) : JSON.stringify(sent)));
    const { report, target } = await ask(records, true);
    expect(report.wrong.length + target.taken.size).toBe(all.length);
    expect(report.wrong.length).toBeGreaterThan(0);
    for (const { isCertain } of report.wrong) expect(isCertain).toBe(false);
    expect((await ask(records, false)).report.wrong).toEqual([]);
  });

  it("is parsed from the first record on that shows it not to be canonical", async () => {
    const { report, target } = await ask(
      truth.map((sent) => JSON.stringify(sent)),
      true,
    );
    expect(report.isUncanonical).toBe(true);
    expect(report.wrong).toEqual([]);
    expect(target.taken.size).toBe(all.length);
  });

  it("never makes a wrong partition right", async () => {
    const records = truth.map((sent, index) =>
      canonicalWire(index === 150 ? { ...sent, timestamp: sent.timestamp + 1 } : sent),
    );
    const { report, target } = await ask(records, true);
    expect(report.wrong).toHaveLength(1);
    expect(target.taken.size).toBe(all.length - 1);
    const again = await ask(records, false);
    expect(again.report.wrong).toMatchObject([{ isCertain: true }]);
  });
});

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  const size = 1_000;
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}
