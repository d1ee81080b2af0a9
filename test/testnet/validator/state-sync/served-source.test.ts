/** Validators that start from real servers of a snapshot, with servers in front that lie and die. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { WrappedData } from "../../../../src/protocol/account-copy.ts";
import { asNodeId, asPartition } from "../../../../src/protocol/brands.ts";
import { canonicalTextOf } from "../../../../src/protocol/crypto/canonical-text.ts";
import { networkHashOf } from "../../../../src/protocol/partition-hash.ts";
import { makeShard, partitionRange } from "../../../../src/protocol/shard.ts";
import { StateDatabase } from "../../../../src/testnet/validator/state/state-database.ts";
import { type SyncReport, servedSource } from "../../../../src/testnet/validator/state-sync/served-source.ts";
import { dying, type Lies, lyingServer } from "../../../helpers/lying-server.ts";
import { deadUrl } from "../../../helpers/servers.ts";
import { temporaryDirectory } from "../../../helpers/temporary.ts";
import { serveSnapshot } from "./served-snapshot.ts";

const sharding = { nodesPerConsensusGroup: 3, nodesPerEdge: 0 };
/** In the network of the snapshot, which has five nodes, its home partition is 0. */
const id = asNodeId("0".repeat(64));
const limits = { silenceMs: 30_000, bytesPerSecondMin: 1 };

const served = await serveSnapshot();

/** Fetches the first state of a validator. */
async function start(servers: readonly string[], changes: { digest?: string; silenceMs?: number } = {}) {
  const { digest = served.digest, silenceMs = limits.silenceMs } = changes;
  const reports: SyncReport[] = [];
  const source = servedSource({
    wanted: { servers, digest },
    id,
    sharding,
    report: (report) => void reports.push(report),
    limits: { ...limits, silenceMs },
    pauseMs: 1,
  });
  const accounts: WrappedData[] = [];
  const read = async () => {
    const state = await source();
    for await (const account of state.accounts) accounts.push(account);
    return state;
  };
  const state = await read().catch((error: unknown) => error as Error);
  return { state, accounts, reports };
}

const byAddress = (accounts: readonly WrappedData[]) =>
  accounts.map((account) => canonicalTextOf(account)).sort();

const whole = byAddress((await start([served.url])).accounts);

describe("a validator that starts from servers of a snapshot", () => {
  it("fetches the global partition and its own runs first, and then the others, by the borders of the snapshot", async () => {
    const { url, requests } = await lyingServer(served.url);
    const { state, accounts, reports } = await start([url]);
    expect(state).toMatchObject({ progress: { cycle: 8, position: 0, isBoundary: false }, nodes: [] });
    expect(byAddress(accounts)).toEqual(whole);
    expect(accounts).toHaveLength(104);
    const range = (first: number, last: number) => {
      const shard = makeShard({ numNodes: 5 });
      const [low, high] = [first, last].map((partition) => partitionRange(shard, asPartition(partition)));
      return `startAddr=${low?.low}&endAddr=${high?.high}`;
    };
    expect(
      requests
        .filter((path) => path.startsWith("/snapshot-data"))
        .map((path) => path.split("&").slice(1).join("&")),
    ).toEqual(["isGlobal=true", range(0, 1), range(4, 4), range(2, 3)]);
    expect(reports).toEqual([
      { type: "state-fetched", part: "own", cycle: 8, partitions: 4, accounts: 64 },
      { type: "state-fetched", part: "all", cycle: 8, partitions: 6, accounts: 104 },
    ]);
  });

  const changeData = (change: (accounts: WrappedData[]) => WrappedData[]): Lies => ({
    change: (path, text) => {
      if (!path.startsWith("/snapshot-data")) return text;
      const { snapshot } = JSON.parse(text) as { snapshot: WrappedData[] };
      return JSON.stringify({ snapshot: change(snapshot) });
    },
  });
  const changeCycles = (change: (answer: Cycles) => object): Lies => ({
    change: (path, text) =>
      path.startsWith("/snapshot-cycles") ? JSON.stringify(change(JSON.parse(text) as Cycles)) : text,
  });
  const [lie, failure] = ["false", "failed"] as const;

  it.each<{ id: string; lies: Lies; kind: "false" | "failed"; says: RegExp }>([
    {
      id: "changed account",
      lies: changeData(([first, ...rest]) => [{ ...first, data: { stolen: 1 } } as WrappedData, ...rest]),
      kind: lie,
      says: /^partition -1: its hash is [0-9a-f]{64}, the agreed one is [0-9a-f]{64}$/,
    },
    {
      id: "changed timestamp",
      lies: changeData((all) => all.map((account) => ({ ...account, timestamp: account.timestamp + 1 }))),
      kind: lie,
      says: /^partition -1: its hash is/,
    },
    {
      id: "missing account",
      lies: changeData((all) => (all.length > 10 ? all.slice(0, -1) : all)),
      kind: lie,
      says: /^partition 1: its hash is/,
    },
    { id: "no accounts", lies: changeData(() => []), kind: lie, says: /^partition -1: its hash is/ },
    {
      id: "repeated account",
      lies: changeData((all) => [...all.slice(0, 1), ...all]),
      kind: lie,
      says: /^partition -1: account [0-9a-f]{64} does not come after [0-9a-f]{64}$/,
    },
    {
      id: "account of another range",
      lies: changeData((all) => [
        ...all,
        { ...all[0], accountId: "f".repeat(64), syncData: {} } as WrappedData,
      ]),
      kind: lie,
      says: /^partition 4: account f{64} is not in the requested range$/,
    },
    {
      id: "no JSON",
      lies: { change: (path, text) => (path.startsWith("/snapshot-data") ? `<${text}` : text) },
      kind: lie,
      says: /./,
    },
    {
      id: "false partition hash",
      lies: changeCycles((answer) => ({
        ...answer,
        partitionHashes: { ...answer.partitionHashes, 2: "0".repeat(64) },
      })),
      kind: lie,
      says: /^\/snapshot-cycles: its digest is [0-9a-f]{64}, expected [0-9a-f]{64}$/,
    },
    {
      id: "false hashes with the network hash that follows from them",
      lies: changeCycles((answer) => {
        const partitionHashes = { ...answer.partitionHashes, 2: "0".repeat(64) };
        return { ...answer, partitionHashes, networkHash: networkHashOf(Object.values(partitionHashes)) };
      }),
      kind: lie,
      says: /its digest is/,
    },
    {
      id: "another cycle",
      lies: changeCycles((answer) => ({ ...answer, snapshotCycle: answer.snapshotCycle + 1 })),
      kind: lie,
      says: /its digest is/,
    },
    {
      id: "another moment",
      lies: changeCycles((answer) => ({ ...answer, timestamp: answer.timestamp + 1000 })),
      kind: lie,
      says: /its digest is/,
    },
    {
      id: "fewer partitions",
      lies: changeCycles((answer) => ({ ...answer, numPartitions: 4 })),
      kind: lie,
      says: /not one hash for each of 4 partitions/,
    },
    {
      id: "another snapshot",
      lies: { change: (path, text) => (path === "/snapshots" ? '{"snapshots":[]}' : text) },
      kind: failure,
      says: /^it does not serve the snapshot with the digest/,
    },
    {
      id: "truncated data",
      lies: { change: (path, text) => (path.startsWith("/snapshot-data") ? text.slice(0, -40) : text) },
      kind: failure,
      says: /ends before/,
    },
  ])("finds out a server that gives it $id, and uses another one", async ({ lies, kind, says }) => {
    const { url } = await lyingServer(served.url, lies);
    const { accounts, reports } = await start([url, served.url]);
    expect(reports[0]).toEqual({
      type: "server-failed",
      server: url,
      kind,
      problem: expect.stringMatching(says) as string,
      isExcluded: kind === "false",
    });
    expect(reports.filter(({ type }) => type === "server-failed")).toHaveLength(1);
    expect(byAddress(accounts)).toEqual(whole);
  });

  it("continues at another server with the partitions that are missing when one dies in the middle of an answer", async () => {
    const dead = await lyingServer(served.url, {
      send: dying("/snapshot-data?timestamp=1700000540000&startAddr"),
    });
    const other = await lyingServer(served.url);
    const { accounts, reports } = await start([dead.url, other.url]);
    expect(byAddress(accounts)).toEqual(whole);
    expect(reports[0]).toMatchObject({
      type: "server-failed",
      server: dead.url,
      kind: "failed",
      isExcluded: false,
    });
    expect(other.requests.some((path) => path.includes("isGlobal=true"))).toBe(false);
  });

  it("gives up a server that stays silent in the middle of an answer", async () => {
    const silent = await lyingServer(served.url, {
      send: (path, text, response) => {
        if (!path.startsWith("/snapshot-data")) return false;
        response.write(text.slice(0, 100));
        return true;
      },
    });
    const { accounts, reports } = await start([silent.url, served.url], { silenceMs: 1_000 });
    expect(reports[0]).toMatchObject({ server: silent.url, kind: "failed" });
    expect(byAddress(accounts)).toEqual(whole);
  });

  it("asks a server again that has failed, and does not start when it fails each time", async () => {
    const dead = await deadUrl();
    const { state, reports } = await start([dead]);
    expect(reports.map((report) => "isExcluded" in report && report.isExcluded)).toEqual([
      false,
      false,
      true,
    ]);
    expect(state).toMatchObject({
      code: "incomplete",
      message: "no server of snapshots is left to start from",
      details: [expect.stringMatching(`^${dead}: .*ECONNREFUSED`)],
    });
  });

  it("has no state, and so does not start, when every server lies in some partition", async () => {
    const liar = await lyingServer(
      served.url,
      changeData((all) => (all.length > 20 ? all.slice(1) : all)),
    );
    const path = join(temporaryDirectory(), "state.sqlite");
    const source = (server: string) =>
      servedSource({
        wanted: { servers: [server], digest: served.digest },
        id,
        sharding,
        report: () => undefined,
      });
    await expect(StateDatabase.open(path, source(liar.url))).rejects.toMatchObject({ code: "incomplete" });
    const database = await StateDatabase.open(path, source(served.url));
    expect(database.progress.cycle).toBe(8);
    database.close();
  });

  it("does not start from a snapshot with another digest than the operator's", async () => {
    const { state } = await start([served.url], { digest: "a".repeat(64) });
    expect(state).toMatchObject({ code: "incomplete" });
  });
});

interface Cycles {
  readonly snapshotCycle: number;
  readonly timestamp: number;
  readonly partitionHashes: Record<string, string>;
}
