import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ResumeOptions, resume } from "../../../src/app/resume.ts";
import type { SnapshotError } from "../../../src/errors/snapshot-error.ts";
import { networkHash, partitionHashes } from "../../../src/protocol/plain.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { failureOf } from "../../app/run.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../../helpers/temporary.ts";
import { accountsPath, filesOf, rowsOf, snapshotWith } from "../restorable.ts";
import {
  endOf,
  identities,
  type ReceiptOptions,
  type Row,
  StoppedNetwork,
  settings,
  snapshotMs,
  timedAccount,
  withHash,
} from "./stopped-network.ts";

const scratch = makeTemporaryDirectory();
let snapshot: string;
let network: StoppedNetwork;

beforeAll(async () => {
  snapshot = await snapshotWith(scratch, timedAccount, settings);
});
afterAll(() => removeDirectory(scratch));

/** A network that took transactions in each of five cycles after the snapshot. */
function busyNetwork(): StoppedNetwork {
  network = new StoppedNetwork(snapshot);
  for (let cycle = 9; cycle <= 13; cycle++) {
    for (let number = 0; number < 4; number++) {
      const ids = [network.account(number).accountId, network.account(number + cycle).accountId];
      network.transfer(ids, endOf(cycle) - 50_000 + number * 1_000);
    }
  }
  return network;
}

type Databases = { archiverDb: string; receipts: string };
const run = (databases: Databases, options: Partial<ResumeOptions> = {}) =>
  resume(snapshot, { ...databases, ...options });

const byId = (rows: ReturnType<typeof rowsOf>) =>
  rows.toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1));
const rowsIn = ({ archiverDb }: Databases) => byId(rowsOf(accountsPath(archiverDb)));

async function refused(databases: Databases, options: Partial<ResumeOptions> = {}): Promise<SnapshotError> {
  const error = await failureOf(run(databases, options));
  expect(filesOf(databases.archiverDb)).toEqual(["cycles.sqlite3", "receipts.sqlite3"]);
  expect(error.message).toMatch(/nothing was replaced|malformed|chain/);
  return error;
}

describe("an archiver that is resumed", () => {
  it("has the state after the last transaction, as an independent replay has it", async () => {
    const databases = busyNetwork().write();
    const result = await run(databases);
    expect(rowsIn(databases)).toEqual(network.expected);
    const changed = network.expected.filter(({ timestamp }) => timestamp > snapshotMs).length;
    expect(result).toMatchObject({
      replay: {
        receipts: { read: 20, applied: 20, skipped: 0, later: 0 },
        unverified: { count: 0 },
        gaps: { count: 0 },
        last: { cycle: 13, timestamp: endOf(13) - 47_000 },
        newestRecord: { counter: 13, marker: network.records[13]?.marker },
      },
      accounts: { total: network.expected.length, global: 1, changed },
      file: accountsPath(databases.archiverDb),
      warnings: [],
    });
    expect(result.nextSteps[0]).toContain("Resume every archiver");
  });

  it("reports the partition hashes of that state, which nothing verifies", async () => {
    const { state } = await run(busyNetwork().write());
    const shard = makeShard({ numNodes: settings.nodes });
    const wrapped = network.expected.map(({ accountId, data, hash: stateId, isGlobal, timestamp }) => {
      return {
        accountId,
        data: JSON.parse(data),
        stateId,
        timestamp,
        syncData: { isGlobal: isGlobal === 1 },
      };
    });
    const hashes = partitionHashes(wrapped, shard);
    expect(state.partitionHashes).toEqual(
      Object.fromEntries([...hashes].map(([p, hash]) => [String(p), hash])),
    );
    expect(state).toMatchObject({ cycle: 13, networkHash: networkHash(hashes), isAgreed: null });
  });

  it("keeps the old database, and leaves nothing else beside the new one", async () => {
    const databases = busyNetwork().write();
    await run(databases);
    const { keptFile } = await run(databases);
    expect(keptFile).toBe(`${accountsPath(databases.archiverDb)}.before-${snapshotMs}`);
    const files = [
      "accounts.sqlite3",
      `accounts.sqlite3.before-${snapshotMs}`,
      "cycles.sqlite3",
      "receipts.sqlite3",
    ];
    expect(filesOf(databases.archiverDb)).toEqual(files);
  });

  it("does not change in a dry run, which reports the same", async () => {
    const databases = busyNetwork().write();
    const dry = await run(databases, { dryRun: true });
    expect(filesOf(databases.archiverDb)).toEqual(["cycles.sqlite3", "receipts.sqlite3"]);
    const { replay, accounts, state } = await run(databases);
    expect(dry).toMatchObject({ replay, accounts, state, file: null, keptFile: null, nextSteps: [] });
  });

  it("has the snapshot's state if there are no receipts", async () => {
    const databases = new StoppedNetwork(snapshot).write([]);
    const { replay, state, snapshot: from } = await run(databases);
    expect(replay).toMatchObject({ receipts: { read: 0, applied: 0 }, first: null, last: null });
    expect(state).toMatchObject({ cycle: 8, networkHash: from.networkHash });
  });

  it("stops at the cycle that is asked for", async () => {
    const databases = busyNetwork().write();
    const earlier = new StoppedNetwork(snapshot);
    for (let cycle = 9; cycle <= 11; cycle++) {
      for (let number = 0; number < 4; number++) {
        const ids = [earlier.account(number).accountId, earlier.account(number + cycle).accountId];
        earlier.transfer(ids, endOf(cycle) - 50_000 + number * 1_000);
      }
    }
    const { replay } = await run(databases, { toCycle: 11 });
    expect(rowsIn(databases)).toEqual(earlier.expected);
    expect(replay).toMatchObject({ receipts: { read: 12, later: 8 }, last: { cycle: 11 } });
  });

  it("is the same from rows in any order", async () => {
    const databases = busyNetwork().write(network.rows.toReversed());
    await run(databases);
    expect(rowsIn(databases)).toEqual(network.expected);
  });

  it("follows transactions of one moment by their hashes, whatever the order of their IDs", async () => {
    network = new StoppedNetwork(snapshot);
    const { accountId } = network.account(0);
    for (let number = 0; number < 6; number++) network.transfer([accountId], endOf(9) - 20_000);
    const databases = network.write();
    const { replay } = await run(databases);
    expect(replay.receipts.applied).toBe(6);
    expect(rowsIn(databases)).toEqual(network.expected);
  });

  it("has accounts that transactions created, of which a warning says what cannot be seen", async () => {
    network = new StoppedNetwork(snapshot);
    network.transfer(["ab".repeat(32), network.account(0).accountId], endOf(9) - 20_000);
    network.transfer(["ab".repeat(32)], endOf(9) - 19_000);
    const databases = network.write();
    const { replay, warnings } = await run(databases);
    expect(rowsIn(databases)).toEqual(network.expected);
    expect(replay.accounts.created).toMatchObject({ count: 1, shown: [{ accountId: "ab".repeat(32) }] });
    expect(warnings).toEqual([expect.stringContaining("1 account the snapshot does not have")]);
  });

  it("has a changed global account, which stays global", async () => {
    network = new StoppedNetwork(snapshot);
    const { accountId } = network.global;
    const at = endOf(9) - 20_000;
    network.execute([{ accountId, data: { listOfChanges: [], timestamp: at } }], at, { isGlobal: true });
    const databases = network.write();
    await run(databases);
    expect(rowsIn(databases)).toEqual(network.expected);
    expect(network.global.cycleNumber).toBe(9);
  });
});

describe("receipts around the snapshot's moment", () => {
  it("are skipped if the snapshot has what they state, and applied if not", async () => {
    network = new StoppedNetwork(snapshot);
    const known = network.account(0);
    // The snapshot's accounts are older than these transactions; the first one has left this state.
    const { hash: _hash, ...data } = JSON.parse(known.data) as Record<string, unknown>;
    const before = { accountId: known.accountId, data, hashBefore: "0".repeat(64) };
    network.execute([before], snapshotMs - 30_000);
    network.state.set(known.accountId, known);
    network.transfer([network.account(1).accountId], snapshotMs - 7_000);
    network.transfer([network.account(2).accountId], snapshotMs - 9_000);
    const databases = network.write();
    const { replay } = await run(databases);
    expect(replay.receipts).toMatchObject({ read: 3, applied: 2, skipped: 1 });
    expect(rowsIn(databases)).toEqual(network.expected);
  });

  it("are skipped if the snapshot has a later state", async () => {
    network = new StoppedNetwork(snapshot);
    const known = network.account(0);
    const changes = [{ accountId: known.accountId, data: { timestamp: known.timestamp - 1 } }];
    network.execute(changes, snapshotMs - 30_000, { signers: () => [] });
    network.state.set(known.accountId, known);
    const databases = network.write();
    const { replay } = await run(databases);
    expect(replay).toMatchObject({ receipts: { read: 1, skipped: 1 }, unverified: { count: 0 } });
    expect(rowsIn(databases)).toEqual(network.expected);
  });

  it("long before it are not read at all, whatever they are", async () => {
    busyNetwork();
    const early: Row = {
      ...(network.rows[0] as Row),
      receiptId: "early",
      timestamp: snapshotMs - 68_000,
      signedReceipt: "{",
    };
    const databases = network.write([early, ...network.rows]);
    const { replay } = await run(databases);
    expect(replay.receipts).toMatchObject({ read: 20, applied: 20 });
  });
});

const rewritten = (column: string, change: (value: never) => unknown) => (row: Row) => ({
  ...row,
  [column]: JSON.stringify(change(JSON.parse(String(row[column])) as never)),
});

interface Hostile {
  readonly id: string;
  readonly options: ReceiptOptions;
  readonly says: RegExp;
}

const unproved: Hostile[] = [
  {
    id: "has a forged signature among too few",
    options: {
      signers: (group) => group.slice(0, 4),
      change: rewritten(
        "signedReceipt",
        ({ signaturePack, ...rest }: { signaturePack: { sig: string; owner: string }[] }) => {
          const [first, ...others] = signaturePack;
          return { ...rest, signaturePack: [{ ...first, sig: others[0]?.sig }, ...others] };
        },
      ),
    },
    says: /3 valid signatures of a group of 5, which is less than two thirds \(4 signatures\)/,
  },
  {
    id: "has three signatures of five",
    options: { signers: (group) => group.slice(0, 3) },
    says: /3 valid signatures/,
  },
  {
    id: "is signed by others than its group",
    options: { signers: (group, others) => [...group.slice(0, 3), ...others] },
    says: /3 valid signatures of a group of 5.*\(7 signatures, 4 of others than the group/,
  },
  {
    id: "has one signature several times",
    options: { signers: (group) => group.slice(0, 2).flatMap((one) => [one, one, one]) },
    says: /2 valid signatures/,
  },
  {
    id: "states another result than was voted on",
    options: {
      change: rewritten("signedReceipt", ({ proposal, ...rest }: { proposal: object }) => ({
        ...rest,
        proposal: { ...proposal, appReceiptDataHash: "0".repeat(64) },
      })),
    },
    says: /0 valid signatures/,
  },
  {
    id: "has other times of votes",
    options: {
      change: rewritten("signedReceipt", (signed: object) => ({ ...signed, voteOffsets: [9, 9, 9, 9, 9] })),
    },
    says: /0 valid signatures/,
  },
  {
    id: "has no times of votes",
    options: { change: rewritten("signedReceipt", (signed: object) => ({ ...signed, voteOffsets: [] })) },
    says: /0 valid signatures/,
  },
  { id: "is of a cycle without a record", options: { cycle: 40 }, says: /no record of cycle 16/ },
];

describe("a receipt that nothing proves", () => {
  it.each(unproved)("is refused if it $id, and named", async ({ options, says }) => {
    busyNetwork();
    const id = network.transfer([network.account(0).accountId], endOf(13) - 20_000, options);
    const error = await refused(network.write());
    expect(error.code).toBe("verification");
    expect(error.details).toEqual([expect.stringMatching(says)]);
    expect(error.details[0]).toContain(`receipt ${id} of cycle ${options.cycle ?? 13}`);
  });

  it.each(unproved)(
    "is applied if that is wanted and it $id, and the result names it",
    async ({ options }) => {
      busyNetwork();
      const id = network.transfer([network.account(0).accountId], endOf(13) - 20_000, options);
      const databases = network.write();
      const { replay, warnings } = await run(databases, { unverifiedReceipts: true });
      expect(rowsIn(databases)).toEqual(network.expected);
      expect(replay.unverified).toMatchObject({ count: 1, shown: [{ receiptId: id }] });
      expect(warnings).toEqual([expect.stringContaining(id)]);
    },
  );

  it("is proved by four signatures of five, although a fifth is forged", async () => {
    network = new StoppedNetwork(snapshot);
    network.transfer([network.account(0).accountId], endOf(9) - 20_000, {
      change: rewritten(
        "signedReceipt",
        ({ signaturePack, ...rest }: { signaturePack: { sig: string }[] }) => {
          return {
            ...rest,
            signaturePack: [{ ...signaturePack[0], sig: "0".repeat(192) }, ...signaturePack.slice(1)],
          };
        },
      ),
    });
    const { replay } = await run(network.write());
    expect(replay).toMatchObject({ receipts: { applied: 1 }, unverified: { count: 0 } });
  });

  it("is proved by the nodes of its own cycle alone", async () => {
    network = new StoppedNetwork(snapshot);
    const left = identities[0];
    const address = Object.keys(Object.fromEntries(network.state)).find((id) => id.startsWith("0")) ?? "";
    network.transfer([address], endOf(12) - 20_000);
    await run(network.write());
    network.transfer([address], endOf(13) - 20_000, {
      signers: (group) => (left === undefined ? group : [left, ...group.slice(0, 3)]),
    });
    const error = await refused(network.write());
    expect(error.details).toEqual([expect.stringContaining("3 valid signatures of a group of 5")]);
  });

  it("is refused if it is of a global account and too few have signed", async () => {
    network = new StoppedNetwork(snapshot);
    const { accountId } = network.global;
    const at = endOf(9) - 20_000;
    const changes = [{ accountId, data: { timestamp: at } }];
    network.execute(changes, at, { isGlobal: true, signers: (group) => group.slice(0, 3) });
    const error = await refused(network.write());
    expect(error.details).toEqual([expect.stringContaining("3 valid signatures of a group of 5")]);
  });

  it("is refused if it changes a global account in a way that archivers do not accept", async () => {
    network = new StoppedNetwork(snapshot);
    const { accountId } = network.global;
    const at = endOf(9) - 20_000;
    const changes = [{ accountId, data: { timestamp: at } }];
    network.execute(changes, at, { isGlobal: true, internalTXType: 2 });
    const error = await refused(network.write());
    expect(error.details).toEqual([expect.stringContaining("of a kind that archivers do not accept")]);
  });
});

const changedStates = (change: (states: { accountId: string; data: Record<string, unknown> }[]) => unknown) =>
  rewritten("afterStates", change as never);

describe("a receipt that contradicts itself", () => {
  it.each([
    {
      id: "data without the hash that was voted on",
      change: changedStates(([first, ...rest]) => [
        { ...first, data: { ...first?.data, balance: 1 } },
        ...rest,
      ]),
      says: /does not have the hash that was voted on/,
    },
    { id: "no account after the transaction", change: changedStates(() => []), says: /lacks the account/ },
    {
      id: "another transaction's ID",
      change: (row: Row) => ({ ...row, receiptId: "f".repeat(64) }),
      says: /it is the receipt of transaction [0-9a-f]{64}/,
    },
    {
      id: "a vote for not applying it",
      change: rewritten("signedReceipt", ({ proposal, ...rest }: { proposal: object }) => ({
        ...rest,
        proposal: { ...proposal, applied: false },
      })),
      says: /voted for not applying the transaction/,
    },
    {
      id: "more hashes than accounts",
      change: rewritten(
        "signedReceipt",
        ({ proposal, ...rest }: { proposal: { beforeStateHashes: string[] } }) => ({
          ...rest,
          proposal: { ...proposal, beforeStateHashes: [...proposal.beforeStateHashes, ""] },
        }),
      ),
      says: /differ in length/,
    },
  ])("by $id is refused, whoever trusts the archiver", async ({ change, says }) => {
    busyNetwork();
    network.transfer([network.account(0).accountId], endOf(13) - 20_000, { change });
    const error = await refused(network.write(), { unverifiedReceipts: true });
    expect(error.code).toBe("verification");
    expect(error.details).toEqual([expect.stringMatching(says)]);
  });

  it("is refused if it changes a global account to another state than was signed", async () => {
    network = new StoppedNetwork(snapshot);
    const { accountId } = network.global;
    const at = endOf(9) - 20_000;
    network.execute([{ accountId, data: { timestamp: at } }], at, {
      isGlobal: true,
      change: changedStates(([first]) => [{ ...first, ...withHash({ timestamp: at + 1 }) }]),
    });
    const error = await refused(network.write());
    expect(error.details).toEqual([expect.stringContaining("does not have the hash that was voted on")]);
  });

  it.each([
    {
      id: "its signatures are not JSON",
      change: (row: Row) => ({ ...row, signedReceipt: '{"proposal":' }),
      says: /signedReceipt: not JSON/,
    },
    {
      id: "its accounts are not a list",
      change: (row: Row) => ({ ...row, afterStates: "{}" }),
      says: /expected a list of accounts/,
    },
    {
      id: "its accounts are missing",
      change: (row: Row) => ({ ...row, afterStates: null }),
      says: /its afterStates is not a text of at most/,
    },
    {
      id: "it is huge",
      change: (row: Row) => ({ ...row, signedReceipt: `"${"x".repeat(33 * 2 ** 20)}"` }),
      says: /its signedReceipt is not a text of at most 33554432 bytes/,
    },
    {
      id: "its cycle is a text",
      change: (row: Row) => ({ ...row, cycle: "nine" }),
      says: /its cycle or its timestamp is not a whole number/,
    },
  ])("is malformed if $id, which names it", async ({ change, says }) => {
    busyNetwork();
    const id = network.transfer([network.account(0).accountId], endOf(13) - 20_000, { change });
    const error = await refused(network.write(), { unverifiedReceipts: true });
    expect(error.code).toBe("verification");
    expect(error.message).toMatch(says);
    expect(error.message).toContain(`receipt ${id}`);
  });
});

describe("a missing receipt", () => {
  it("is found by the hash before the next one, and names the account and the transaction", async () => {
    busyNetwork();
    const { accountId } = network.account(0);
    const missing = network.rows.findIndex(({ cycle }) => cycle === 11);
    const next = network.rows[missing + 4];
    const rows = network.rows.filter((_, index) => index !== missing);
    const report = join(temporaryDirectory(), "report.json");
    const error = await refused(network.write(rows), { report });
    expect(error).toMatchObject({
      code: "incomplete",
      message: expect.stringContaining("receipts are missing: 1 change does not follow"),
    });
    expect(error.details[0]).toContain(
      `account ${accountId}: transaction ${next?.["receiptId"]} of cycle 12`,
    );
    expect(error.hint).toContain("--to-cycle");
    const written = JSON.parse(readFileSync(report, "utf8")) as { replay: { gaps: object }; failure: object };
    expect(written.replay.gaps).toMatchObject({
      count: 1,
      shown: [{ accountId, receiptId: next?.["receiptId"], cycle: 12 }],
    });
    expect(written.failure).toMatchObject({ code: "incomplete" });
  });

  it("is found even if receipts without a proof are accepted", async () => {
    busyNetwork();
    const error = await refused(network.write(network.rows.slice(4)), { unverifiedReceipts: true });
    expect(error).toMatchObject({
      code: "incomplete",
      message: expect.stringContaining("receipts are missing: 7 changes do not follow"),
    });
  });

  it("is found if the state before is not the snapshot's", async () => {
    network = new StoppedNetwork(snapshot);
    const { accountId } = network.account(0);
    const at = endOf(9) - 20_000;
    network.execute([{ accountId, data: { timestamp: at }, hashBefore: "0".repeat(64) }], at);
    const error = await refused(network.write());
    expect(error).toMatchObject({ code: "incomplete" });
    expect(error.details[0]).toContain(`follows the state ${"0".repeat(64)}`);
  });

  it("is not to be confused with two states of one time, which are refused as well", async () => {
    network = new StoppedNetwork(snapshot);
    const { accountId, timestamp } = network.account(0);
    const changes = [{ accountId, data: { other: true, timestamp }, hashBefore: "0".repeat(64) }];
    network.execute(changes, snapshotMs - 5_000);
    const error = await refused(network.write());
    expect(error).toMatchObject({
      code: "verification",
      message: expect.stringContaining("two states of one time"),
    });
  });
});

describe("the archiver's cycle records", () => {
  const changed = (counter: number, change: object) =>
    network.records.map((record) => (record.counter === counter ? { ...record, ...change } : record));

  it.each([
    { id: "another record of the snapshot's cycle", counter: 8 },
    { id: "another record than the snapshot's evidence", counter: 10 },
    { id: "a record that does not follow", counter: 14 },
  ])("are refused if there is $id", async ({ counter }) => {
    busyNetwork();
    network.transfer([network.account(0).accountId], endOf(15) - 20_000);
    const error = await refused(
      network.write(network.rows, changed(counter, { mode: "forged", previous: "1".repeat(64) })),
    );
    expect(error.code).toBe("chain");
    expect(error.message).toContain(`its record of cycle ${counter}`);
  });

  it("that are missing leave the receipts after them without a proof", async () => {
    busyNetwork();
    const records = network.records.filter(({ counter }) => counter < 12);
    const error = await refused(network.write(network.rows, records));
    expect(error.details[0]).toContain(
      "the archiver has no record of cycle 12, so the nodes of cycle 12 are unknown",
    );
  });

  it("that are not there at all are a configuration error", async () => {
    const databases = busyNetwork().write();
    new Database(join(databases.archiverDb, "cycles.sqlite3")).exec("DROP TABLE cycles");
    expect(await failureOf(run(databases))).toMatchObject({ code: "configuration" });
  });
});

describe("a resumption is refused", () => {
  it("if there is no database of receipts, or it is another one", async () => {
    const databases = busyNetwork().write();
    const missing = { ...databases, receipts: join(databases.archiverDb, "other.sqlite3") };
    expect(await failureOf(run(missing))).toMatchObject({ code: "configuration" });
    const other = { ...databases, receipts: join(databases.archiverDb, "cycles.sqlite3") };
    expect((await failureOf(run(other))).message).toContain("has no table receipts of an archiver");
  });

  it("while an archiver has the receipts open", async () => {
    const databases = busyNetwork().write();
    const open = new Database(databases.receipts);
    open.pragma("journal_mode = WAL");
    open.prepare("SELECT count(*) FROM receipts").all([]);
    expect(await failureOf(run(databases))).toMatchObject({ code: "in-use" });
    open.close();
  });
});
