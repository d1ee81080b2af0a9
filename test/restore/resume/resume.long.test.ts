import { describe, expect, it } from "vitest";
import { networkHash, partitionHashes } from "../../../src/protocol/plain.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { accountsPath, filesOf } from "../restorable.ts";
import { busyNetwork, network, newNetwork, rowsIn, run, snapshot, useSnapshot } from "./resumption.ts";
import { endOf, type Row, StoppedNetwork, settings, snapshotMs } from "./stopped-network.ts";

useSnapshot();

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
    newNetwork();
    const { accountId } = network.account(0);
    for (let number = 0; number < 6; number++) network.transfer([accountId], endOf(9) - 20_000);
    const databases = network.write();
    const { replay } = await run(databases);
    expect(replay.receipts.applied).toBe(6);
    expect(rowsIn(databases)).toEqual(network.expected);
  });

  it("has accounts that transactions created, of which a warning says what cannot be seen", async () => {
    newNetwork();
    network.transfer(["ab".repeat(32), network.account(0).accountId], endOf(9) - 20_000);
    network.transfer(["ab".repeat(32)], endOf(9) - 19_000);
    const databases = network.write();
    const { replay, warnings } = await run(databases);
    expect(rowsIn(databases)).toEqual(network.expected);
    expect(replay.accounts.created).toMatchObject({ count: 1, shown: [{ accountId: "ab".repeat(32) }] });
    expect(warnings).toEqual([expect.stringContaining("1 account the snapshot does not have")]);
  });

  it("has a changed global account, which stays global", async () => {
    newNetwork();
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
    newNetwork();
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
    newNetwork();
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
