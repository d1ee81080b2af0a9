import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FetchError } from "../../src/errors/fetch-error.ts";
import { SnapshotError } from "../../src/errors/snapshot-error.ts";
import { pendingBytesMax, writeBufferBytes } from "../../src/limits/disk.ts";
import { duplicateAccountsMax, foreignAccountsMax } from "../../src/limits/response.ts";
import { isGlobalAccount, type WrappedData } from "../../src/protocol/account-copy.ts";
import { asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { partitionPreimages } from "../../src/protocol/partition-hash.ts";
import {
  GLOBAL_PARTITION,
  makeShard,
  partitionOf,
  partitionRange,
  storedPartitions,
} from "../../src/protocol/shard.ts";
import { pieces, streamOf } from "../canonical/chunks.ts";
import { byId, makeAccount, makeAccounts } from "../helpers/accounts.ts";
import { seeded } from "../helpers/seeded.ts";
import { makeTarget, receive, type TargetSettings } from "./response-target.ts";

/** Six nodes, of which node 2 stores the partitions 1, 2 and 3. */
const shard = makeShard({ numNodes: 6, nodesPerConsensusGroup: 3, nodesPerEdge: 0 });
const truth = makeAccounts(shard, { perPartition: 8, globals: 5 });
const preimages = partitionPreimages(truth, shard);
const nodeIndex = 2;
const stored = [GLOBAL_PARTITION, ...storedPartitions(shard, asNodeIndex(nodeIndex))];
const honest = accountsIn(stored);

function placeOf(account: WrappedData): number {
  return isGlobalAccount(account) ? GLOBAL_PARTITION : partitionOf(shard, account.accountId);
}

function accountsIn(partitions: readonly number[]): WrappedData[] {
  return truth.filter((account) => partitions.includes(placeOf(account)));
}

function textOf(accounts: readonly WrappedData[]): string {
  return JSON.stringify({ snapshot: accounts });
}

async function merge(
  text: string | Buffer,
  settings: Partial<TargetSettings> = {},
  chunkBytes = 100,
  error?: Error,
) {
  const target = makeTarget({ shard, truth, nodeIndex, requested: stored, ...settings });
  const report = await receive(streamOf(pieces(Buffer.from(text), chunkBytes), error), target);
  const taken = [...target.taken.keys()].sort((a, b) => a - b);
  for (const partition of taken)
    expect(target.taken.get(partition)?.text).toBe(preimages.get(asPartition(partition)));
  expect(target.leftOver()).toEqual([]);
  return { report, taken, target };
}

describe("an honest response", () => {
  it("gives each partition as soon as the accounts of the next one begin", async () => {
    const { report, taken, target } = await merge(textOf(honest));
    expect(taken).toEqual([-1, 1, 2, 3]);
    expect(report).toMatchObject({
      end: { kind: "complete" },
      accounts: honest.length,
      lastPartition: honest.map(placeOf).at(-1),
      foreignAccounts: 0,
      duplicateAccounts: 0,
      mismatched: [],
      superfluous: [],
      outgrown: [],
    });
    // In order of address, partition 1 ends first; the global accounts end only with the response.
    expect([...target.taken.keys()].slice(0, 2)).toEqual([1, 2]);
    expect(target.taken.get(2)).toMatchObject({
      accounts: 8,
      bytes: Buffer.byteLength(preimages.get(asPartition(2)) ?? ""),
    });
  });

  it("may have any order, any chunks, and repetitions", async () => {
    const repeated = fc.array(fc.constantFrom(...honest), { maxLength: 6 });
    const order = fc.shuffledSubarray(honest, { minLength: honest.length });
    const property = fc.asyncProperty(
      order,
      repeated,
      fc.integer({ min: 1, max: 5000 }),
      async (shuffled, again, size) => {
        const { report, taken } = await merge(textOf([...shuffled, ...again]), {}, size);
        expect(taken).toEqual([-1, 1, 2, 3]);
        expect(report).toMatchObject({
          end: { kind: "complete" },
          mismatched: [],
          superfluous: [],
          duplicateAccounts: again.length,
        });
      },
    );
    await fc.assert(property, seeded(60));
  });

  it.each([
    { id: "the global accounts first", accounts: [...accountsIn([-1]), ...accountsIn([1, 2, 3])] },
    { id: "the global accounts last", accounts: [...accountsIn([1, 2, 3]), ...accountsIn([-1])] },
    {
      id: "the partitions backwards",
      accounts: [...accountsIn([3]), ...accountsIn([2]), ...accountsIn([-1, 1])],
    },
    { id: "all accounts backwards", accounts: [...honest].sort(byId).reverse() },
  ])("may have $id", async ({ accounts }) => {
    expect((await merge(textOf(accounts))).taken).toEqual([-1, 1, 2, 3]);
  });

  it("may be hashed with another key", async () => {
    const hashKey = "22".repeat(32);
    const { taken, target } = await merge(textOf(honest), { hashKey });
    expect(taken).toEqual([-1, 1, 2, 3]);
    expect(target.hashes.get(1)).toBe(hashText(preimages.get(asPartition(1)) ?? "", hashKey));
  });

  it("may be pretty-printed", async () => {
    expect((await merge(JSON.stringify({ snapshot: honest }, null, 2))).taken).toEqual([-1, 1, 2, 3]);
  });
});

describe("a response with other partitions than requested", () => {
  it("also gives other missing partitions", async () => {
    const { report, taken } = await merge(textOf(honest), { requested: [2] });
    expect(report).toMatchObject({ mismatched: [] });
    expect(taken).toEqual([-1, 1, 2, 3]);
  });

  it("does not give partitions that are not expected of it", async () => {
    const { report, taken } = await merge(textOf(honest), { requested: [2], unexpected: [-1, 1] });
    expect(report).toMatchObject({ end: { kind: "complete" }, mismatched: [], superfluous: [] });
    expect(taken).toEqual([2, 3]);
  });

  it("need not give more than what was requested", async () => {
    const { taken } = await merge(textOf(accountsIn([2])), { requested: [2] });
    expect(taken).toEqual([2]);
  });
});

function without(accounts: readonly WrappedData[], partition: number): WrappedData[] {
  const index = accounts.findIndex((account) => placeOf(account) === partition);
  return accounts.filter((_, at) => at !== index);
}

function changed(accounts: readonly WrappedData[], partition: number): WrappedData[] {
  const index = accounts.findIndex((account) => placeOf(account) === partition);
  return accounts.map((account, at) =>
    at === index ? { ...account, timestamp: account.timestamp + 1 } : account,
  );
}

describe("a wrong partition", () => {
  it.each([
    { id: "with a changed account", partition: 2, accounts: changed(honest, 2), count: 8 },
    { id: "with a missing account", partition: 2, accounts: without(honest, 2), count: 7 },
    {
      id: "with an additional account",
      partition: 2,
      accounts: [...honest, makeAccount(partitionRange(shard, asPartition(2)).high)].sort(byId),
      count: 9,
    },
    { id: "of global accounts", partition: -1, accounts: changed(honest, -1), count: 5 },
    { id: "at the end of the response", partition: 3, accounts: changed(honest, 3), count: 8 },
    { id: "without accounts", partition: 1, accounts: accountsIn([-1, 2, 3]), count: 0 },
  ])("$id is reported, and the others are committed", async ({ partition, accounts, count }) => {
    const { report, taken, target } = await merge(textOf(accounts));
    expect(taken).toEqual(stored.filter((other) => other !== partition));
    const sent = partitionPreimages(accounts, shard).get(asPartition(partition)) ?? "";
    expect(report.mismatched).toHaveLength(1);
    expect(report.mismatched[0]).toMatchObject({
      partition,
      expected: target.hashes.get(partition),
      got: hashText(sent),
      accounts: count,
      conflict: undefined,
    });
    expect(report.end.kind).toBe("complete");
  });

  it("is each requested one if the response is empty", async () => {
    const { report, taken } = await merge('{"snapshot":[]}');
    expect(taken).toEqual([]);
    expect(report.mismatched.map(({ partition }) => partition)).toEqual(stored);
    expect(report.mismatched.every(({ got, accounts }) => got === hashText("[]") && accounts === 0)).toBe(
      true,
    );
  });

  it("is reported twice if an account is falsely marked as global", async () => {
    const accounts = honest.map((account) =>
      account.accountId === accountsIn([2])[0]?.accountId
        ? { ...account, syncData: { isGlobal: true } }
        : account,
    );
    const { report, taken } = await merge(textOf(accounts));
    expect(taken).toEqual([1, 3]);
    expect(report.mismatched.map(({ partition }) => partition).sort()).toEqual([-1, 2]);
  });

  it("is not reported if it was neither requested nor expected", async () => {
    const { report } = await merge(textOf(changed(honest, 2)), { requested: [1], unexpected: [2] });
    expect(report.mismatched).toEqual([]);
  });

  it.each([
    { id: "immediately", at: 1 },
    { id: "at the end", at: Number.POSITIVE_INFINITY },
  ])("in which an account is contradicted $id is reported with that account", async ({ at }) => {
    const [victim] = accountsIn([2]);
    if (victim === undefined) throw new Error("partition 2 has no account");
    const index = Math.min(honest.indexOf(victim) + at, honest.length);
    const accounts = [...honest.slice(0, index), { ...victim, timestamp: 1 }, ...honest.slice(index)];
    const { report, taken } = await merge(textOf(accounts));
    if (at === 1) {
      expect(taken).toEqual([-1, 1, 3]);
      expect(report.mismatched).toEqual([
        expect.objectContaining({ partition: 2, conflict: victim.accountId }),
      ]);
    } else {
      // By then the partition has matched and is committed.
      expect(taken).toEqual([-1, 1, 2, 3]);
      expect(report).toMatchObject({ superfluous: [2], mismatched: [] });
    }
  });
});

describe("unwanted accounts", () => {
  it("of partitions that the node does not store are counted, and the others are committed", async () => {
    const { report, taken } = await merge(textOf(truth));
    expect(taken).toEqual([-1, 1, 2, 3]);
    expect(report).toMatchObject({ end: { kind: "complete" }, foreignAccounts: 3 * 8 });
  });

  it("of partitions that the node does not store have a bound", async () => {
    const { low } = partitionRange(shard, asPartition(5));
    const foreign = Array.from({ length: foreignAccountsMax + 1 }, (_, number) =>
      JSON.stringify({
        accountId: low.slice(0, 56) + number.toString(16).padStart(8, "0"),
        stateId: "",
        data: "",
        timestamp: 0,
      }),
    );
    const textWith = (count: number) =>
      `{"snapshot":[${[...honest.map((account) => JSON.stringify(account)), ...foreign.slice(0, count)].join(",")}]}`;
    const good = await merge(textWith(foreignAccountsMax), {}, 65_536);
    expect(good.report).toMatchObject({ end: { kind: "complete" }, foreignAccounts: foreignAccountsMax });
    const bad = await merge(textWith(foreignAccountsMax + 1), {}, 1000);
    expect(bad.report).toMatchObject({ end: { kind: "failed", error: { kind: "too-large" } } });
    expect(bad.taken).toEqual(expect.arrayContaining([1, 2]));
  });

  it("do not affect a partition that has already matched", async () => {
    const late = { ...makeAccount(partitionRange(shard, asPartition(1)).high) };
    const { report, taken } = await merge(textOf([...honest, late]));
    expect(taken).toEqual([-1, 1, 2, 3]);
    expect(report).toMatchObject({
      end: { kind: "complete" },
      superfluous: [1],
      mismatched: [],
      duplicateAccounts: 0,
    });
  });

  it("that repeat earlier ones are counted, and have a bound", async () => {
    const [first, ...rest] = honest;
    if (first === undefined) throw new Error("there is no account");
    const repeated = (count: number) => textOf([...Array.from({ length: count + 1 }, () => first), ...rest]);
    const good = await merge(repeated(duplicateAccountsMax), {}, 65_536);
    expect(good.report).toMatchObject({ end: { kind: "complete" }, duplicateAccounts: duplicateAccountsMax });
    expect(good.taken).toEqual([-1, 1, 2, 3]);
    const bad = await merge(repeated(duplicateAccountsMax + 1), {}, 65_536);
    expect(bad.report.end).toMatchObject({ error: { kind: "too-large" } });
  });
});

describe("a response that breaks off", () => {
  const text = textOf([...accountsIn([-1]), ...accountsIn([1, 2, 3])]);
  const middleOfPartition = (partition: number) => {
    const inside = accountsIn([partition])[4];
    return text.indexOf(inside?.accountId ?? "") + 10;
  };

  it.each([
    { id: "in partition 1", length: middleOfPartition(1), kept: [-1] },
    { id: "in partition 2", length: middleOfPartition(2), kept: [-1, 1] },
    { id: "in partition 3", length: middleOfPartition(3), kept: [-1, 1, 2] },
    { id: "before its last byte", length: text.length - 1, kept: [-1, 1, 2, 3] },
  ])("$id keeps complete partitions, and reports no mismatch", async ({ length, kept }) => {
    const { report, taken } = await merge(text.slice(0, length));
    expect(taken).toEqual(kept);
    expect(report).toMatchObject({
      end: { kind: "failed", error: { name: "ResponseError", kind: "truncated" } },
      mismatched: [],
    });
  });

  it("by an error of the connection keeps complete partitions, and reports the error", async () => {
    const error = new FetchError("reset", "the connection is gone");
    const { report, taken } = await merge(text.slice(0, middleOfPartition(3)), {}, 100, error);
    expect(taken).toEqual([-1, 1, 2]);
    expect(report).toMatchObject({ end: { kind: "failed" }, mismatched: [], lastPartition: 3 });
    expect(report.end).toEqual({ kind: "failed", error });
  });

  it("and is out of order keeps no partition that only seems complete", async () => {
    const backwards = textOf([...accountsIn([1, 2, 3])].reverse());
    const { report, taken } = await merge(backwards.slice(0, -2));
    expect(taken).toEqual([]);
    expect(report).toMatchObject({ end: { kind: "failed" }, mismatched: [] });
  });

  it.each([
    { id: "not JSON", record: "{]" },
    { id: "not an account", record: '{"accountId":"x"}' },
    {
      id: "an account without canonical text",
      record: JSON.stringify({ ...honest.at(-1), data: { dataType: "bi", value: "x" } }),
    },
    {
      id: "nested more deeply than the bound",
      record: `{"accountId":"${partitionRange(shard, asPartition(3)).high}","stateId":"","timestamp":0,"data":${"[".repeat(600)}${"]".repeat(600)}}`,
    },
  ])("at a record that is $id keeps complete partitions", async ({ record }) => {
    const { report, taken } = await merge(text.replace(/\]}$/, `,${record}]}`));
    expect(report.end).toMatchObject({ kind: "failed", error: { name: "ResponseError", kind: "malformed" } });
    expect(taken).toEqual(expect.arrayContaining([-1, 1, 2]));
  });

  it("before its first byte gives nothing", async () => {
    const { report, taken } = await merge("");
    expect(taken).toEqual([]);
    expect(report).toMatchObject({
      end: { kind: "failed" },
      accounts: 0,
      lastPartition: undefined,
      mismatched: [],
    });
  });
});

describe("a partition that keeps growing", () => {
  const padded = makeAccounts(shard, { perPartition: 8, globals: 2, padding: writeBufferBytes / 2 });
  const text = textOf(padded.filter((account) => stored.includes(asPartition(placeOf(account)))));

  it("ends the response if it may not grow", async () => {
    const target = makeTarget({
      shard,
      truth: padded,
      nodeIndex,
      requested: stored,
      bytesMax: writeBufferBytes,
    });
    const report = await receive(streamOf(pieces(Buffer.from(text), 65_536)), target);
    expect(report).toMatchObject({ end: { kind: "failed", error: { kind: "over-budget" } }, mismatched: [] });
    expect(report.outgrown).toHaveLength(1);
    expect(report.outgrown[0]?.bytes).toBeGreaterThan(writeBufferBytes);
    expect(target.leftOver()).toEqual([]);
  });

  it("is committed if it may", async () => {
    const target = makeTarget({ shard, truth: padded, nodeIndex, requested: stored });
    const report = await receive(streamOf(pieces(Buffer.from(text), 65_536)), target);
    expect(report).toMatchObject({ end: { kind: "complete" }, outgrown: [], mismatched: [] });
    expect([...target.taken.keys()].sort((a, b) => a - b)).toEqual([-1, 1, 2, 3]);
  });
});

it("a response whose accounts alternate between many partitions gives each of them, with more bytes than may be pending", async () => {
  const numNodes = 50;
  const ring = makeShard({ numNodes, nodesPerConsensusGroup: numNodes });
  const perPartition = 10;
  const padding = Math.ceil((1.5 * pendingBytesMax) / (numNodes * perPartition));
  const all = makeAccounts(ring, { perPartition, globals: 3, padding });
  const rank = new Map<WrappedData, number>();
  const seen = new Map<number, number>();
  for (const account of all) {
    const partition = isGlobalAccount(account) ? -1 : partitionOf(ring, account.accountId);
    seen.set(partition, (seen.get(partition) ?? 0) + 1);
    rank.set(account, seen.get(partition) ?? 0);
  }
  const byTurns = [...all].sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0) || byId(a, b));
  const requested = Array.from({ length: numNodes + 1 }, (_, index) => index - 1);
  const target = makeTarget({ shard: ring, truth: all, nodeIndex: 0, requested });
  const report = await receive(streamOf(pieces(Buffer.from(textOf(byTurns)), 65_536)), target);
  expect(report).toMatchObject({ end: { kind: "complete" }, mismatched: [], accounts: all.length });
  const expected = partitionPreimages(all, ring);
  expect(target.taken.size).toBe(numNodes + 1);
  for (const [partition, { text }] of target.taken)
    expect(text === expected.get(asPartition(partition))).toBe(true);
  expect(target.leftOver()).toEqual([]);
});

describe("a failure of our own disk", () => {
  it("ends the response, whatever the node sends", async () => {
    const target = makeTarget({ shard, truth, nodeIndex, requested: stored });
    const nowhere = { ...target, place: { ...target.place, pathOf: () => "/dev/null/nowhere" } };
    await expect(receive(streamOf([Buffer.from(textOf(honest))]), nowhere)).rejects.toMatchObject({
      code: "disk",
    });
  });

  it("while a partition is committed ends the response, and leaves no other file", async () => {
    const target = makeTarget({ shard, truth, nodeIndex, requested: stored });
    const full = { ...target, commit: () => Promise.reject(new SnapshotError("disk", "full")) };
    await expect(receive(streamOf(pieces(Buffer.from(textOf(honest)), 100)), full)).rejects.toThrow("full");
    // At most the committed one is left, which the receiver then owns.
    expect(target.leftOver().length).toBeLessThanOrEqual(1);
  });
});
