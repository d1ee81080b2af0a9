/** Votes that are read back from a hash database, which is not trusted. */

import { join } from "node:path";
import Database from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import { KnownVotes } from "../../../src/agreement/admission/known-votes.ts";
import { makeValidatorSet } from "../../../src/agreement/admission/validator-set.ts";
import { StoredVotes } from "../../../src/collect/votes/stored-votes.ts";
import { asCycle, asHashHex, asPartition } from "../../../src/protocol/brands.ts";
import { HashDatabase, type SignedMessage } from "../../../src/store/hash-database/hash-database.ts";
import { cycle, hashKey, idOf, nodes, shard, voteOf } from "../../agreement/test-votes.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";

const all = makeValidatorSet(nodes, shard);
const allButFirst = makeValidatorSet(nodes.slice(1), shard);

function rowOf(index: number, letter = "a"): SignedMessage {
  const text = voteOf(index, letter);
  return { cycle: cycle, sender: idOf(index), hash: JSON.parse(text).sign.sig.slice(128), text };
}

async function itemsOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function storedVotes(rows: readonly SignedMessage[], path = join(temporaryDirectory(), "hashes.sqlite")) {
  const database = HashDatabase.open(path);
  onTestFinished(() => database.close());
  database.claim({ networkId: "", hashKey });
  database.saveMessages(rows, 1);
  const seen = new KnownVotes(hashKey);
  const warnings: string[] = [];
  return { seen, warnings, votes: new StoredVotes(database, seen, (message) => warnings.push(message)) };
}

describe("stored votes", () => {
  it("count once for each validator: the first one", async () => {
    const { votes } = storedVotes([rowOf(0, "a"), rowOf(0, "b"), rowOf(1)]);
    const counted = await itemsOf(votes.counted(cycle, all));
    expect(counted.map(({ sender, hashes }) => [sender, hashes.get(asPartition(0))])).toEqual([
      [idOf(0), "a".repeat(64)],
      [idOf(1), "a".repeat(64)],
    ]);
  });

  it("do not count, and are not known if their sender is not a validator of the cycle", async () => {
    const { votes, seen, warnings } = storedVotes([rowOf(0), rowOf(1)]);
    const counted = await itemsOf(votes.counted(cycle, allButFirst));
    expect(counted.map(({ sender }) => sender)).toEqual([idOf(1)]);
    const recalled = await itemsOf(votes.recall(cycle, allButFirst));
    expect(recalled.map(({ kind }) => kind)).toEqual(["rejected", "new"]);
    expect([seen.withHash(rowOf(0).hash), seen.withHash(rowOf(1).hash)?.sender]).toEqual([
      undefined,
      idOf(1),
    ]);
    expect(warnings).toEqual([]);
  });

  it("are recalled as an equivocation if two of them contradict each other, and once as new", async () => {
    const { votes, seen } = storedVotes([rowOf(0, "a"), rowOf(0, "b")]);
    const kinds = async () => (await itemsOf(votes.recall(cycle, all))).map(({ kind }) => kind);
    expect(await kinds()).toEqual(["new", "equivocation"]);
    expect(await kinds()).toEqual(["duplicate", "duplicate"]);
    expect(seen.of(cycle, idOf(0)).map(({ hash }) => hash)).toEqual([rowOf(0, "a").hash, rowOf(0, "b").hash]);
  });

  it("are sent to clients if the validator set is unknown, and do not become known thereby", async () => {
    const { votes, seen } = storedVotes([rowOf(0), rowOf(1)]);
    for (const _ of [1, 2]) {
      expect(await itemsOf(votes.textsOf(cycle))).toEqual([voteOf(0), voteOf(1)]);
    }
    expect(seen.withHash(rowOf(0).hash)).toBeUndefined();
  });

  it.each([
    { id: "the text of another sender's vote", row: { ...rowOf(1), sender: idOf(0) } },
    { id: "another hash", row: { ...rowOf(0), hash: asHashHex("f".repeat(64)) } },
    { id: "a vote of another cycle", row: { ...rowOf(0), cycle: asCycle(cycle + 1) } },
    { id: "a changed hash in its text", row: { ...rowOf(0), text: voteOf(0).replace("aaa", "bbb") } },
    { id: "half of its text", row: { ...rowOf(0), text: voteOf(0).slice(0, 80) } },
  ])("are damaged if a row has $id: neither counted, nor known, nor sent to clients", async ({ row }) => {
    const { votes, seen, warnings } = storedVotes([row]);
    seen.add(row);
    expect(await itemsOf(votes.counted(row.cycle, all))).toEqual([]);
    expect(await itemsOf(votes.recall(row.cycle, all))).toEqual([]);
    expect(await itemsOf(votes.textsOf(row.cycle))).toEqual([]);
    expect([seen.withHash(row.hash), seen.withHash(rowOf(0).hash)]).toEqual([undefined, undefined]);
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toMatch(/is not what was signed with its key/);
  });

  it("do not count a contradicting vote in place of a damaged one", async () => {
    const path = join(temporaryDirectory(), "hashes.sqlite");
    const { votes, warnings } = storedVotes([rowOf(0, "a"), rowOf(0, "b"), rowOf(1)], path);
    const other = new Database(path, {});
    other.prepare("UPDATE messages SET message = 'x' WHERE sender = ? AND place = 0").run(idOf(0));
    other.close();
    const counted = await itemsOf(votes.counted(cycle, all));
    expect(counted.map(({ sender }) => sender)).toEqual([idOf(1)]);
    expect(warnings).toHaveLength(1);
  });
});
