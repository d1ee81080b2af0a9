import { describe, expect, it } from "vitest";
import { isGlobalAccount, type WrappedData } from "../../src/protocol/account-copy.ts";
import { asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import { partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { GLOBAL_PARTITION, makeShard, partitionOf, storedPartitions } from "../../src/protocol/shard.ts";
import { pieces, streamOf } from "../canonical/chunks.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { asPartitions } from "../helpers/brands.ts";
import { makeTarget, receive } from "./response-target.ts";

/** Six nodes, of which node 2 stores the partitions 1, 2 and 3. */
const shard = makeShard({ numNodes: 6, nodesPerConsensusGroup: 3, nodesPerEdge: 0 });
const truth = makeAccounts(shard, { perPartition: 8, globals: 5 });
const preimages = partitionPreimages(truth, shard);
const nodeIndex = 2;
const stored = [GLOBAL_PARTITION, ...storedPartitions(shard, asNodeIndex(nodeIndex))];

function placeOf(account: WrappedData): number {
  return isGlobalAccount(account) ? GLOBAL_PARTITION : partitionOf(shard, account.accountId);
}

const honest = truth.filter((account) => stored.includes(asPartition(placeOf(account))));

/** Merges a response; one partition is not expected of it the first times that the merge checks. */
async function mergeWith(late: number, refusals: number, { accounts = honest, requested = stored } = {}) {
  const target = makeTarget({ shard, truth, nodeIndex, requested });
  let left = refusals;
  const claimed: number[] = [];
  const expected = (partition: number) => {
    if (partition === late && left-- > 0) return undefined;
    const hash = target.expected(asPartition(partition));
    if (hash !== undefined) claimed.push(partition);
    return hash;
  };
  const bytes = Buffer.from(JSON.stringify({ snapshot: accounts }));
  const report = await receive(streamOf(pieces(bytes, 100)), { ...target, expected });
  for (const [partition, { text }] of target.taken) expect(text).toBe(preimages.get(asPartition(partition)));
  expect(target.leftOver()).toEqual([]);
  return { report, claimed, taken: [...target.taken.keys()].sort((a, b) => a - b) };
}

function others(late: number): number[] {
  return stored.filter((partition) => partition !== late);
}

/** The accounts of one partition in two halves, the second of them after everything else. */
function inHalves(partition: number): WrappedData[] {
  const own = honest.filter((account) => placeOf(account) === partition);
  const rest = honest.filter((account) => placeOf(account) !== partition);
  return [...own.slice(0, 3), ...rest, ...own.slice(3)];
}

describe("a partition that was not expected when its accounts began", () => {
  // There are eight accounts: after fewer refusals than that, the partition could be begun in the middle.
  const cases = stored.flatMap((late) => [1, 2, 4, 7].map((refusals) => ({ late, refusals })));

  it.each(cases)(
    "is skipped to the end of the response ($late, $refusals refusals)",
    async ({ late, refusals }) => {
      const { report, taken } = await mergeWith(late, refusals, { requested: asPartitions(others(late)) });
      expect(report).toMatchObject({
        end: { kind: "complete" },
        accounts: honest.length,
        mismatched: [],
        superfluous: [],
      });
      expect(taken).toEqual(others(late));
    },
  );

  it.each(cases)(
    "is skipped even if more of its accounts follow later ($late, $refusals refusals)",
    async ({ late, refusals }) => {
      const { report, taken } = await mergeWith(late, refusals, {
        accounts: inHalves(late),
        requested: asPartitions(others(late)),
      });
      expect(report).toMatchObject({ end: { kind: "complete" }, mismatched: [], superfluous: [] });
      expect(taken).toEqual(others(late));
    },
  );

  it.each([2, 4, 7])("is skipped even if it was requested (%i refusals)", async (refusals) => {
    const { report, taken } = await mergeWith(1, refusals);
    expect(report).toMatchObject({ end: { kind: "complete" }, mismatched: [] });
    expect(taken).toEqual(others(1));
  });

  it("is not a mismatch if it was requested and is expected at the end of the response", async () => {
    const { report } = await mergeWith(1, 1);
    expect(report.mismatched).toEqual([]);
  });

  it("is not a mismatch if it is never expected", async () => {
    const { report, taken, claimed } = await mergeWith(1, Infinity);
    expect(report).toMatchObject({ end: { kind: "complete" }, mismatched: [] });
    expect(taken).toEqual(others(1));
    expect(claimed).not.toContain(1);
  });
});

describe("a partition that is expected when its accounts begin", () => {
  it("is committed", async () => {
    const { report, taken } = await mergeWith(1, 0);
    expect(report).toMatchObject({ end: { kind: "complete" }, mismatched: [] });
    expect(taken).toEqual([...stored].sort((a, b) => a - b));
  });

  it("is a mismatch if one or all of its accounts are missing", async () => {
    const own = honest.filter((account) => placeOf(account) === 2);
    const withoutOne = honest.filter((account) => account !== own[4]);
    const withoutAny = honest.filter((account) => !own.includes(account));
    for (const accounts of [withoutOne, withoutAny]) {
      const { report, taken } = await mergeWith(1, 0, { accounts });
      expect(report.mismatched).toMatchObject([{ partition: 2 }]);
      expect(taken).toEqual(others(2));
    }
  });
});
