import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sortPartition } from "../../src/artifact/external-sort.ts";
import { IncomingPartition } from "../../src/artifact/incoming-partition.ts";
import { PreimageWriter } from "../../src/artifact/preimage-writer.ts";
import { singleRun } from "../../src/canonical/copy-run.ts";
import { writeBufferBytes } from "../../src/limits/disk.ts";
import { accountCopyBytes, accountCopyText, type WrappedData } from "../../src/protocol/account-copy.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { makeShard } from "../../src/protocol/shard.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { seeded } from "../helpers/seeded.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const key = DEFAULT_HASH_KEY;
const single = makeShard({ numNodes: 1 });
const accounts = makeAccounts(single, { perPartition: 40, globals: 0 });
const preimage = preimageOf(accounts);

function preimageOf(of: readonly WrappedData[]): string {
  return partitionPreimages(of, single).get(asPartition(0)) ?? "";
}

function addAll(sink: IncomingPartition, of: Iterable<WrappedData>): string[] {
  return Array.from(of, (account) => sink.add(singleRun(asPartition(0), accountCopyBytes(account))));
}

function newSink(hashKey = key) {
  const directory = temporaryDirectory();
  const sink = new IncomingPartition(asPartition(0), join(directory, "partition"), hashKey);
  return { directory, sink };
}

describe("a list of copies", () => {
  it("is written and hashed the same however often it is flushed and released", async () => {
    const directory = temporaryDirectory();
    const step = fc.constantFrom("flush", "release", "nothing", "nothing");
    const copy = fc.string({ unit: "binary", maxLength: 300 }).map((text) => JSON.stringify(text));
    const items = fc.array(fc.tuple(copy, step), { maxLength: 25 });
    let run = 0;
    const property = fc.asyncProperty(items, async (list) => {
      const writer = new PreimageWriter(join(directory, `${run++}`), key);
      const written: string[] = [];
      for (const [text, then] of list) {
        writer.append(Buffer.from(text));
        written.push(text);
        if (then === "flush") await writer.flush();
        if (then === "release") await writer.release();
        expect(writer.bytes).toBe(Buffer.byteLength(`[${written.join(",")}`));
        expect(await writer.hashIfClosed()).toBe(hashText(`[${written.join(",")}]`));
      }
      const whole = `[${written.join(",")}]`;
      expect(await writer.close()).toBe(hashText(whole));
      expect(readFileSync(writer.path, "utf8")).toBe(whole);
      expect(writer.accounts).toBe(list.length);
    });
    await fc.assert(property, seeded(40));
  });

  it("without copies is the empty list", async () => {
    const writer = new PreimageWriter(join(temporaryDirectory(), "list"), "11".repeat(32));
    expect(await writer.hashIfClosed()).toBe(hashText("[]", "11".repeat(32)));
    expect(await writer.close()).toBe(hashText("[]", "11".repeat(32)));
    expect(readFileSync(writer.path, "utf8")).toBe("[]");
  });

  it("reports that it is time to flush", async () => {
    const writer = new PreimageWriter(join(temporaryDirectory(), "list"), key);
    writer.append(Buffer.alloc(writeBufferBytes - 2, "x"));
    expect(writer.isFull).toBe(false);
    writer.append(Buffer.from("y"));
    expect(writer.isFull).toBe(true);
    await writer.flush();
    expect(writer.isFull).toBe(false);
    await writer.close();
  });

  it("that cannot be written is a failure of the disk", async () => {
    const writer = new PreimageWriter(join(temporaryDirectory(), "nowhere", "list"), key);
    writer.append(Buffer.from("{}"));
    await expect(writer.release()).rejects.toMatchObject({ name: "SnapshotError", code: "disk" });
  });
});

describe("a partition that is received", () => {
  it("in order becomes its preimage", async () => {
    const { directory, sink } = newSink();
    addAll(sink, accounts);
    expect(await sink.matches(hashText(preimage))).toBe(true);
    const finished = await sink.finish();
    expect(finished).toMatchObject({
      hash: hashText(preimage),
      accounts: 40,
      duplicates: 0,
      conflict: undefined,
    });
    expect(finished.bytes).toBe(Buffer.byteLength(preimage));
    expect(readFileSync(finished.path, "utf8")).toBe(preimage);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it("in any order becomes the same preimage", async () => {
    const order = fc.shuffledSubarray(accounts, { minLength: 2 });
    const property = fc.asyncProperty(order, async (shuffled) => {
      const { sink } = newSink();
      addAll(sink, shuffled);
      const expected = preimageOf(shuffled);
      const finished = await sink.finish();
      expect(readFileSync(finished.path, "utf8")).toBe(expected);
      expect(finished).toMatchObject({
        hash: hashText(expected),
        accounts: shuffled.length,
        bytes: Buffer.byteLength(expected),
      });
    });
    await fc.assert(property, seeded(60));
  });

  it("matches no hash before its end if it is out of order", async () => {
    const { sink } = newSink();
    const [first, second] = accounts.slice(0, 2).map((account) => account);
    addAll(
      sink,
      [second, first].flatMap((account) => account ?? []),
    );
    expect(await sink.matches(hashText(preimageOf(accounts.slice(0, 2))))).toBe(false);
  });

  it("contains an immediately repeated copy once, and reports the duplicate", async () => {
    const { sink } = newSink();
    const outcomes = addAll(
      sink,
      accounts.flatMap((account) => [account, account]),
    );
    expect(outcomes).toEqual(accounts.flatMap(() => ["added", "duplicate"]));
    expect((await sink.finish()).hash).toBe(hashText(preimage));
  });

  it("contains a copy that is repeated later once, and counts the duplicates", async () => {
    const { sink } = newSink();
    addAll(sink, [...accounts, ...accounts.slice(0, 7)]);
    const finished = await sink.finish();
    expect(finished).toMatchObject({ hash: hashText(preimage), duplicates: 7, conflict: undefined });
    expect(readFileSync(finished.path, "utf8")).toBe(preimage);
  });

  const contradicting = { ...accounts[3], timestamp: 1 } as WrappedData;
  it.each([
    { id: "immediately", list: [...accounts.slice(0, 4), contradicting, ...accounts.slice(4)] },
    { id: "later", list: [...accounts, contradicting] },
    { id: "by its first copy", list: [contradicting, ...accounts] },
  ])("names an account that is contradicted $id", async ({ list }) => {
    const { sink } = newSink();
    addAll(sink, list);
    const { conflict, hash } = await sink.finish();
    expect(conflict).toBe(contradicting.accountId);
    if (list[0] !== contradicting) expect(hash === hashText(preimage) && conflict === undefined).toBe(false);
  });

  it("leaves no file if it is discarded", async () => {
    const { directory, sink } = newSink();
    addAll(sink, accounts);
    await sink.release();
    expect(readdirSync(directory)).toHaveLength(1);
    await sink.discard();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("sorting a partition that does not fit into memory", () => {
  const many = makeAccounts(single, { perPartition: 300, globals: 0, padding: 1_000 });

  it.each([
    { id: "all at once", fanIn: 64 },
    { id: "in rounds", fanIn: 3 },
  ])("merges its runs $id, including duplicates in different runs", async ({ fanIn }) => {
    const directory = temporaryDirectory();
    const writer = new PreimageWriter(join(directory, "list"), key);
    for (const account of [...[...many].reverse(), ...many.slice(-2)]) {
      writer.append(Buffer.from(accountCopyText(account)));
    }
    await writer.close();
    const bounds = { runBytes: writer.bytes / 20, fanIn };
    const sorted = await sortPartition(writer.path, join(directory, "sorted"), key, bounds);
    const expected = preimageOf(many);
    expect(sorted).toMatchObject({ hash: hashText(expected), duplicates: 2, conflict: undefined });
    expect(sorted.writer).toMatchObject({ accounts: many.length, bytes: Buffer.byteLength(expected) });
    expect(readFileSync(sorted.writer.path, "utf8")).toBe(expected);
    expect(readdirSync(directory).sort()).toEqual(["list", "sorted"]);
  });

  it("does not change its input", async () => {
    const directory = temporaryDirectory();
    const writer = new PreimageWriter(join(directory, "list"), key);
    for (const account of [...accounts].reverse()) writer.append(Buffer.from(accountCopyText(account)));
    const unsorted = await writer.close();
    const sorted = await sortPartition(writer.path, join(directory, "sorted"), key);
    expect(sorted.hash).toBe(hashText(preimage));
    expect(hashText(readFileSync(writer.path))).toBe(unsorted);
    expect(readdirSync(directory).sort()).toEqual(["list", "sorted"]);
  });

  it("fails as a failure of the disk if the file does not exist", async () => {
    const directory = temporaryDirectory();
    const sorting = sortPartition(join(directory, "list"), join(directory, "sorted"), key);
    await expect(sorting).rejects.toMatchObject({ name: "SnapshotError", code: "disk" });
  });
});
