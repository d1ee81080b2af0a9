/** The accounts of an export: by range, through the index, and without open files at the end. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { artifactFile } from "../../../../src/format/artifact.ts";
import type { WrappedData } from "../../../../src/protocol/account-copy.ts";
import { asCycle, asPartition } from "../../../../src/protocol/brands.ts";
import { indexPageEntries } from "../../../../src/testnet/validator/snapshot/export-index.ts";
import { ExportedAccounts } from "../../../../src/testnet/validator/snapshot/exported-accounts.ts";
import { writeExport } from "../../../../src/testnet/validator/snapshot/write-export.ts";
import { EVERYTHING } from "../../../../src/wire/snapshot-request.ts";
import { asPartitions } from "../../../helpers/brands.ts";
import { temporaryDirectory } from "../../../helpers/temporary.ts";
import { endOf, genesis, hashesOf, held, openState, partitions, shard } from "../small-state.ts";

const nothing = { started: () => undefined, wrote: () => undefined };

/** The export of node 0's state at the end of cycle 0. */
async function exportState(accounts = genesis): Promise<string> {
  const directory = temporaryDirectory();
  const database = await openState(directory, accounts);
  const place = join(directory, "export");
  const request = { databasePath: database.path, directory: place, cycle: asCycle(0), timestamp: endOf(0) };
  await writeExport(
    { ...request, partitions: asPartitions(partitions), numPartitions: shard.numNodes },
    nothing,
  );
  database.close();
  return place;
}

async function exported(): Promise<ExportedAccounts> {
  return new ExportedAccounts(await exportState(), asPartitions(partitions));
}

const idsOf = (accounts: Iterable<{ accountId: string }>) =>
  Array.from(accounts, ({ accountId }) => accountId);

/** Addresses of accounts, and addresses between and beyond them. */
const bounds = [
  "0".repeat(64),
  "f".repeat(64),
  ...genesis.flatMap(({ accountId }) => [accountId, `${accountId.slice(0, 63)}f`]),
];

/** The export of a state of which every eleventh account and the global one were changed after genesis. */
async function exportedChanges(): Promise<{ place: string; accounts: readonly WrappedData[] }> {
  const accounts = genesis.map((account, index) => ({
    ...account,
    timestamp: index % 11 === 0 || account.syncData?.isGlobal === true ? 500 + (index % 3) : 1,
  }));
  const place = await exportState(accounts);
  return { place, accounts: held(accounts) };
}

describe("exported accounts", () => {
  it("are found by any range, of any kind", async () => {
    const accounts = await exported();
    for (const [index, first] of bounds.entries()) {
      const second = bounds[(index * 7 + 3) % bounds.length] ?? "";
      const [accountStart, accountEnd] = first < second ? [first, second] : [second, first];
      for (const isGlobal of [undefined, true, false]) {
        const selection = { ...EVERYTHING, accountStart, accountEnd, isGlobal };
        const expected = held(genesis).filter(
          (account) =>
            account.accountId >= accountStart &&
            account.accountId <= accountEnd &&
            (isGlobal ?? account.syncData?.isGlobal === true) === (account.syncData?.isGlobal === true),
        );
        expect(idsOf(accounts.select(selection))).toEqual(idsOf(expected));
        expect(accounts.count(selection)).toBe(expected.length);
      }
    }
  });

  it("are more than a page of the index", async () => {
    expect(idsOf((await exported()).select(EVERYTHING)).length).toBeGreaterThan(indexPageEntries);
  });

  it("are found by the time of their change, with any range and of any kind", async () => {
    const { place, accounts } = await exportedChanges();
    const exported = new ExportedAccounts(place, asPartitions(partitions));
    for (const changedSince of [0, 1, 2, 501, 503]) {
      for (const [index, accountStart] of bounds.filter((_, index) => index % 5 === 0).entries()) {
        const accountEnd = bounds[(index * 7 + 3) % bounds.length] ?? "";
        const isGlobal = [undefined, true, false][index % 3];
        const expected = accounts.filter(
          (account) =>
            account.timestamp >= changedSince &&
            account.accountId >= accountStart &&
            account.accountId <= accountEnd &&
            (isGlobal ?? account.syncData?.isGlobal === true) === (account.syncData?.isGlobal === true),
        );
        const selection = { accountStart, accountEnd, isGlobal, changedSince };
        expect(idsOf(exported.select(selection))).toEqual(idsOf(expected));
        expect(exported.count(selection)).toBe(expected.length);
      }
    }
  });

  it("that did not change are not read for a delta", async () => {
    const { place, accounts } = await exportedChanges();
    const changed = accounts.filter(({ timestamp }) => timestamp >= 500);
    for (const partition of partitions) {
      const artifact = join(place, artifactFile(asPartition(partition), "none"));
      const copies = readFileSync(artifact, "utf8").split(/(?=\{"accountId":")/);
      const unread = copies.map((copy) =>
        changed.some(({ accountId }) => copy.includes(accountId)) ? copy : "#".repeat(copy.length),
      );
      writeFileSync(artifact, unread.join(""));
    }
    const exported = new ExportedAccounts(place, asPartitions(partitions));
    expect([...exported.select({ ...EVERYTHING, changedSince: 500 })]).toEqual(
      changed.map((account) => ({ ...account, syncData: { isGlobal: account.syncData?.isGlobal === true } })),
    );
    expect(() => [...exported.select(EVERYTHING)]).toThrow(SyntaxError);
  });

  it.runIf(process.platform === "linux")("leave no file open, wherever the reader stops", async () => {
    const accounts = await exported();
    const openBefore = readdirSync("/proc/self/fd").length;
    for (const stopAt of [0, 1, 70, 100]) {
      for (const changedSince of [undefined, 0]) {
        let read = 0;
        for (const _ of accounts.select({ ...EVERYTHING, changedSince })) if (read++ === stopAt) break;
        accounts.count({ ...EVERYTHING, changedSince });
      }
    }
    expect(readdirSync("/proc/self/fd").length).toBe(openBefore);
  });

  it("are read from their offsets, without the rest of the artifact", async () => {
    const place = await exportState();
    const last = held(genesis).findLast(({ syncData }) => syncData?.isGlobal !== true)?.accountId ?? "";
    // A scan from the start of the artifact would fail.
    const artifact = join(place, "partition-00003.json");
    const text = readFileSync(artifact, "utf8");
    writeFileSync(
      artifact,
      "#".repeat(text.lastIndexOf('{"accountId"')) + text.slice(text.lastIndexOf('{"accountId"')),
    );
    const accounts = new ExportedAccounts(place, asPartitions(partitions));
    expect(idsOf(accounts.select({ ...EVERYTHING, accountStart: last, accountEnd: last }))).toEqual([last]);
  });
});

it("an account with a string as data is served with a string, and one with an object with an object", async () => {
  const id = "11".repeat(32);
  const texts = ['{"b":1,"a":2}', "plain", ""];
  const mixed = [...texts, { b: 1, a: [2] }].map((data, index) => ({
    accountId: id.slice(0, 63) + index,
    stateId: id,
    data,
    timestamp: 1,
  }));
  const place = await exportState(mixed);
  const accounts = [...new ExportedAccounts(place, asPartitions(partitions)).select(EVERYTHING)];
  expect(accounts.map(({ data }) => data)).toEqual([...texts, { a: [2], b: 1 }]);
  expect(hashesOf(accounts)).toEqual(hashesOf(mixed));
});
