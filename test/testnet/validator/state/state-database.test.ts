/** The first state of a validator's database. */

import { join } from "node:path";
import { expect, it } from "vitest";
import type { WrappedData } from "../../../../src/protocol/account-copy.ts";
import { asCycle } from "../../../../src/protocol/brands.ts";
import { allPartitions, ringPartitions } from "../../../../src/protocol/shard.ts";
import { beginning } from "../../../../src/testnet/validator/state/progress.ts";
import { StateDatabase } from "../../../../src/testnet/validator/state/state-database.ts";
import { copyTextOf, StateReader } from "../../../../src/testnet/validator/state/state-reader.ts";
import type { FirstState } from "../../../../src/testnet/validator/state/state-source.ts";
import { balanceAccount } from "../../../../src/testnet/validator/state/transaction.ts";
import { idNamed, keyNamed } from "../../../helpers/brands.ts";
import { temporaryDirectory } from "../../../helpers/temporary.ts";
import { genesis } from "../small-state.ts";

const node = { id: idNamed("node"), publicKey: keyNamed("node"), url: "http://127.0.0.1:1" };
const spans = [{ ...node, joined: asCycle(0), activated: asCycle(2), removed: undefined }];

const progress = { ...beginning, cycle: 6, isBoundary: true, position: 900, durationMs: 1000 };

async function* arriving(accounts: Iterable<WrappedData>) {
  for (const account of accounts) yield await Promise.resolve(account);
}

/** More accounts than one commit holds, and then an error. */
async function* failing() {
  for (let number = 0; number < 2500; number++) {
    yield await Promise.resolve(balanceAccount(number.toString(16).padStart(64, "0"), 1, 5n));
  }
  throw new Error("the source has failed");
}

async function idsIn(path: string, cycle: number): Promise<string[]> {
  const reader = StateReader.open(path, cycle, 1);
  const ids: string[] = [];
  for (const partition of allPartitions({ numNodes: 1 })) {
    for await (const rows of reader.pages(partition)) ids.push(...rows.map(({ accountId }) => accountId));
  }
  reader.close();
  return ids.sort();
}

it("a validator's first state is taken from a source, with its position and its nodes", async () => {
  const path = join(temporaryDirectory(), "state.sqlite");
  const state: FirstState = { progress, nodes: spans, accounts: arriving(genesis) };
  const database = await StateDatabase.open(path, () => Promise.resolve(state));
  expect([database.progress, database.nodes]).toEqual([progress, spans]);
  database.close();
  const again = await StateDatabase.open(path, () => Promise.reject(new Error("the source is read again")));
  expect([again.progress, again.nodes]).toEqual([progress, spans]);
  expect(await idsIn(path, 6)).toEqual(genesis.map(({ accountId }) => accountId));
  again.close();
});

it("a first state that was not read to its end is read again", async () => {
  const path = join(temporaryDirectory(), "state.sqlite");
  const broken = () => Promise.resolve({ progress, nodes: spans, accounts: failing() });
  await expect(StateDatabase.open(path, broken)).rejects.toThrow("the source has failed");
  const [first] = genesis;
  const other = { progress, nodes: [], accounts: first === undefined ? [] : [first] };
  const database = await StateDatabase.open(path, () => Promise.resolve(other));
  expect(await idsIn(path, 6)).toEqual([first?.accountId]);
  database.close();
});

it("a partition is the range of addresses that the number of partitions gives", async () => {
  const path = join(temporaryDirectory(), "state.sqlite");
  const state = { progress, nodes: [], accounts: genesis };
  const database = await StateDatabase.open(path, () => Promise.resolve(state));
  for (const numPartitions of [1, 3, 4, 7]) {
    const reader = StateReader.open(path, 6, numPartitions);
    const copies: string[] = [];
    for (const partition of ringPartitions({ numNodes: numPartitions })) {
      for await (const rows of reader.pages(partition)) copies.push(...rows.map(copyTextOf));
    }
    reader.close();
    expect(copies).toHaveLength(genesis.length - 1); // one is global
    expect(new Set(copies).size).toBe(copies.length);
  }
  database.close();
});
