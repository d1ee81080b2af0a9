import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BaseFile } from "../../src/artifact/response-report.ts";
import { FetchError } from "../../src/errors/fetch-error.ts";
import { diskError } from "../../src/errors/snapshot-error.ts";
import { beginningBytesMin } from "../../src/limits/seed.ts";
import { accountCopyText, isGlobalAccount, type WrappedData } from "../../src/protocol/account-copy.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { GLOBAL_PARTITION, makeShard, partitionOf } from "../../src/protocol/shard.ts";
import { pieces, streamOf } from "../canonical/chunks.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { makeTarget, receive } from "./response-target.ts";

const shard = makeShard({ numNodes: 2 });
const truth = makeAccounts(shard, { perPartition: 40, globals: 4, padding: 5_000 });
const preimages = partitionPreimages(truth, shard);
const partitions = [GLOBAL_PARTITION, asPartition(0), asPartition(1)];
const settings = { shard, truth, nodeIndex: 0, requested: partitions };

function accountsOf(partition: number, accounts: readonly WrappedData[] = truth): WrappedData[] {
  return accounts.filter((account) =>
    isGlobalAccount(account)
      ? partition === GLOBAL_PARTITION
      : partition === partitionOf(shard, account.accountId),
  );
}

/** An older state: every tenth account was older, and one did not exist. */
function olderThan(accounts: readonly WrappedData[]): WrappedData[] {
  return accounts
    .map((account, index) => (index % 10 === 3 ? { ...account, data: "old", timestamp: 1 } : account))
    .filter((_, index) => index !== 7);
}

function changed(accounts: readonly WrappedData[]): WrappedData[] {
  return accounts.filter((_, index) => index % 10 === 3 || index === 7);
}

function baseOf(accounts: readonly WrappedData[], isOfPeer = false) {
  const path = join(temporaryDirectory(), "base");
  writeFileSync(path, `[${accounts.map(accountCopyText).join(",")}]`);
  const file: BaseFile = { path, compression: "none", low: "0".repeat(64), high: "f".repeat(64) };
  return { files: [file], isOfPeer };
}

const bases = () => new Map(partitions.map((of) => [of, baseOf(olderThan(accountsOf(of)))]));

function response(accounts: readonly WrappedData[]): AsyncIterable<Buffer> {
  return streamOf(pieces(Buffer.from(JSON.stringify({ snapshot: accounts })), 10_000));
}

/** The beginning of a response, which then ends with an error. */
async function* brokenAfter(accounts: readonly WrappedData[], bytes: number) {
  const text = Buffer.from(JSON.stringify({ snapshot: accounts }));
  for (const piece of pieces(text.subarray(0, bytes), 10_000)) yield* streamOf([piece]);
  throw new FetchError("reset", "the connection was reset");
}

const deltas = partitions.flatMap((of) => changed(accountsOf(of)));

describe("a partition with a base", () => {
  it("is completed by the accounts that changed since", async () => {
    const target = makeTarget({ ...settings, isDelta: true, bases: bases() });
    const report = await receive(response(deltas), target);
    for (const of of partitions) expect(target.taken.get(of)?.text).toBe(preimages.get(of));
    expect(target.taken.get(asPartition(1))?.baseBytes).toBeGreaterThan(
      0.8 * (target.taken.get(asPartition(1))?.bytes ?? 0),
    );
    expect(report).toMatchObject({ mismatched: [], unfitBases: [], beginnings: [] });
    expect(target.leftOver()).toEqual([]);
  });

  it("is completed whatever the order of the accounts that changed", async () => {
    const target = makeTarget({ ...settings, isDelta: true, bases: bases() });
    const shuffled = deltas.toSorted((a, b) => (a.stateId < b.stateId ? -1 : 1));
    await receive(response(shuffled), target);
    expect([...target.taken.keys()].sort((a, b) => a - b)).toEqual(partitions);
    expect(target.leftOver()).toEqual([]);
  });

  it("is complete without any account of the response if nothing has changed", async () => {
    const unchanged = new Map(partitions.map((of) => [of, baseOf(accountsOf(of))]));
    const target = makeTarget({ ...settings, isDelta: true, bases: unchanged });
    await receive(response([]), target);
    for (const of of partitions) expect(target.taken.get(of)?.text).toBe(preimages.get(of));
  });

  it("is taken from a response with all of its accounts, whatever the base", async () => {
    const poisoned = new Map(partitions.map((of) => [of, baseOf(accountsOf(of).slice(3).reverse())]));
    const target = makeTarget({ ...settings, isDelta: true, bases: poisoned });
    const report = await receive(response(truth), target);
    for (const of of partitions)
      expect(target.taken.get(of)).toMatchObject({ text: preimages.get(of), baseBytes: 0 });
    expect(report).toMatchObject({ mismatched: [], unfitBases: [] });
  });

  it("is reported as unfit if it is not completed to the agreed hash, and nobody is blamed", async () => {
    const target = makeTarget({ ...settings, isDelta: true, bases: bases() });
    const [first] = changed(accountsOf(1));
    const report = await receive(response(deltas.filter((account) => account !== first)), target);
    expect(report.mismatched).toEqual([]);
    expect(report.unfitBases).toEqual([
      {
        partition: 1,
        reason: expect.stringMatching(/^expected [0-9a-f]{64}, got [0-9a-f]{64} with the base$/),
      },
    ]);
    expect([...target.taken.keys()].sort((a, b) => a - b)).toEqual([GLOBAL_PARTITION, 0]);
    expect(target.leftOver()).toEqual([]);
  });

  it("is the peer's responsibility if every account of the base is from the same peer", async () => {
    const own = new Map([[1, baseOf(accountsOf(1).slice(0, 20).reverse(), true)]]);
    const target = makeTarget({ ...settings, requested: [1], bases: own });
    const report = await receive(response(accountsOf(1).slice(20)), target);
    expect(report.unfitBases).toEqual([]);
    expect(report.mismatched).toMatchObject([{ partition: 1, expected: target.hashes.get(asPartition(1)) }]);
  });

  it("has another base than the response claims if the response contradicts itself", async () => {
    const target = makeTarget({ ...settings, isDelta: true, bases: bases() });
    const [account] = changed(accountsOf(0)) as [WrappedData];
    const report = await receive(response([account, { ...account, data: "other" }]), target);
    expect(report.mismatched).toMatchObject([{ partition: 0, conflict: account.accountId }]);
  });

  it("leaves no files on a disk that is full when a response has broken off", async () => {
    const began = new Map([[0, baseOf(accountsOf(0).slice(0, 20))]]);
    const target = makeTarget({ ...settings, requested: [0, 1], bases: began });
    const full = diskError("cannot write", new Error("no space left"));
    const kept: string[][] = [];
    const complete = () => {
      kept.push(target.leftOver());
      return Promise.reject(full);
    };
    const rest = [...accountsOf(0).slice(20), ...accountsOf(1)];
    const bytes = JSON.stringify(accountsOf(0).slice(20)).length + 2 * beginningBytesMin;
    const place = { ...target.place, complete };
    await expect(receive(brokenAfter(rest, bytes), { ...target, place })).rejects.toBe(full);
    // While the base was completed, the beginning of the other partition was on the disk.
    expect(kept).toEqual([expect.arrayContaining(["1.json"])]);
    expect(target.leftOver()).toEqual([]);
  });

  it("that the response left before it broke off is completed", async () => {
    const target = makeTarget({ ...settings, requested: [0, 1], isDelta: true, bases: bases() });
    const ordered = [...changed(accountsOf(0)), ...changed(accountsOf(1))];
    const text = JSON.stringify({ snapshot: ordered });
    const report = await receive(brokenAfter(ordered, text.length - 3), target);
    expect([...target.taken.keys()]).toEqual([0]);
    expect(report).toMatchObject({ end: { kind: "failed" }, mismatched: [], unfitBases: [], beginnings: [] });
    expect(target.leftOver()).toEqual([]);
  });
});

describe("a partition without a base", () => {
  it("is not compared with a response that may lack unchanged accounts", async () => {
    const target = makeTarget({ ...settings, requested: [0], isDelta: true, bases: bases() });
    const without = { ...target, base: (of: number) => (of === 0 ? target.base(asPartition(0)) : undefined) };
    const report = await receive(response(deltas), without);
    expect([...target.taken.keys()]).toEqual([0]);
    expect(report).toMatchObject({ mismatched: [], unfitBases: [] });
    expect(target.leftOver()).toEqual([]);
  });
});

describe("a response that broke off", () => {
  const local = truth.filter((account) => !isGlobalAccount(account));
  const bytes = (count: number) => Buffer.byteLength(JSON.stringify({ snapshot: local.slice(0, count) })) - 2;

  it("leaves the beginning of the partition that it was giving, which another response completes", async () => {
    const target = makeTarget({ ...settings, requested: [0, 1] });
    const report = await receive(brokenAfter(local, bytes(65) + 700), target);
    expect([...target.taken.keys()]).toEqual([0]);
    const [beginning] = report.beginnings;
    const own = accountsOf(1);
    expect(beginning).toMatchObject({ partition: 1, firstId: own[0]?.accountId, lastId: own[24]?.accountId });
    const text = readFileSync(beginning?.path ?? "", "utf8");
    expect(text).toBe(`[${own.slice(0, 25).map(accountCopyText).join(",")}`);
    expect(Buffer.byteLength(text)).toBe(beginning?.bytes);

    const file = {
      path: beginning?.path ?? "",
      compression: "none",
      low: "0".repeat(64),
      high: "f".repeat(64),
    } as const;
    const rest = makeTarget({
      ...settings,
      requested: [1],
      bases: new Map([[1, { files: [file], isOfPeer: false }]]),
    });
    await receive(response(own.slice(25)), rest);
    expect(rest.taken.get(asPartition(1))?.text).toBe(preimages.get(asPartition(1)));
  });

  it.each([
    { id: "a beginning of fewer bytes than the bound", end: bytes(42), isDelta: false },
    { id: "the beginning of a delta", end: bytes(65), isDelta: true },
    { id: "the beginning of a partition that is complete", end: bytes(80), isDelta: false },
  ])("does not leave $id", async ({ end, isDelta }) => {
    expect(bytes(42) - bytes(40)).toBeLessThan(beginningBytesMin);
    const target = makeTarget({ ...settings, requested: [0, 1], isDelta, bases: new Map() });
    const report = await receive(brokenAfter(local, end), target);
    expect(report.beginnings).toEqual([]);
    expect(target.leftOver()).toEqual([]);
  });

  it("leaves no beginning that is out of order", async () => {
    const target = makeTarget({ ...settings, requested: [1] });
    const report = await receive(brokenAfter(accountsOf(1).reverse(), 150_000), target);
    expect(report.beginnings).toEqual([]);
    expect(target.leftOver()).toEqual([]);
  });
});
