import { describe, expect, it, onTestFinished } from "vitest";
import { assemble } from "../../src/app/assemble.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import { NetworkWatch } from "../../src/collect/network/network-watch.ts";
import { asCycle } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { openClients } from "../../src/trust/node-addresses.ts";
import { failureOf } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { histories, joining } from "./histories.ts";
import { type HistorySettings, type RunningHistory, startHistory } from "./history.ts";
import { missing, publishedArchiver } from "./published-archiver.ts";

const start = (settings: HistorySettings): Promise<RunningHistory> =>
  startHistory(settings, publishedArchiver);

const note = missing === undefined ? "" : ` (${missing})`;

describe.skipIf(missing !== undefined)(`a published archiver${note}`, () => {
  it.each(histories)("serves the lists of a snapshot where $id", async (settings) => {
    const history = await start(settings);
    const result = await assemble(history.options);
    expect(result).toMatchObject({ ...history.expected, timestamp: history.timestamp });
    expect(result.offences).toEqual([]);
    const { ok, findings } = await verifySnapshot(result.directory, {
      archiverKey: history.archiverKey,
      require: "proved",
    });
    expect(findings).toEqual([]);
    expect(ok).toBe(true);
  });

  it("gives the same snapshot as any other archiver", async () => {
    const history = await start({
      nodes: 10,
      snapshotCycle: 20,
      newest: 25,
      lives: { 7: { joined: 18, activated: 22 } },
      archivers: 2,
    });
    for (const archiver of history.archivers) {
      const out = temporaryDirectory();
      const result = await assemble({ ...history.options, archiver, out });
      expect(result).toMatchObject({ ...history.expected, offences: [] });
    }
  });

  it("has records that cannot confirm a network hash, which --require-chain reports at once", async () => {
    const history = await start({ nodes: 5, snapshotCycle: 20, newest: 25 });
    const failure = await failureOf(assemble({ ...history.options, requireChain: true }));
    expect(failure).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("no networkDataHash"),
      hint: expect.stringContaining("--require-chain"),
    });
  });

  it("confirms the network hash where its records name it, as --require-chain demands", async () => {
    const history = await start({ nodes: 5, snapshotCycle: 20, newest: 25, hasNetworkHashes: true });
    const result = await assemble({ ...history.options, requireChain: true });
    expect(result).toMatchObject(history.expected);
  });

  it.each([
    { id: "shutdown", nodes: 9, newest: 25, shutdown: 25 },
    { id: "restart", nodes: 9, newest: 26, shutdown: 25 },
    { id: "restore", nodes: 18, newest: 28, shutdown: 25, lives: joining(18, 9) },
  ])(
    "has no node list in mode $id, and validators that respond still give the snapshot",
    async ({ id: _, ...settings }) => {
      const history = await start({ snapshotCycle: 20, ...settings });
      expect(await assemble(history.options)).toMatchObject({ cycle: 20, offences: [] });
    },
  );

  it.each([
    { id: "debug.disableSnapshots", config: { debug: { disableSnapshots: true } } },
    {
      id: "stateManager.useAccountCopiesTable",
      config: { stateManager: { useAccountCopiesTable: false } },
    },
  ])("proves by its records that the network makes no snapshots, for $id", async ({ id, config }) => {
    const history = await start({ nodes: 5, snapshotCycle: 20, newest: 25, config });
    const failure = await failureOf(assemble(history.options));
    expect(failure).toMatchObject({ code: "no-agreement", message: expect.stringContaining(id) });
  });

  it("serves a collector, which knows the nodes of each cycle", async () => {
    const history = await start({
      nodes: 10,
      snapshotCycle: 20,
      newest: 24,
      lives: { 2: { joined: 19, activated: 22 }, 8: { left: { cycle: 23, way: "removed" } } },
    });
    const clients = openClients(history.options);
    onTestFinished(() => clients.close());
    const warnings: string[] = [];
    const { signal } = new AbortController();
    const context = {
      clients,
      hashKey: DEFAULT_HASH_KEY,
      signal,
      warn: (text: string) => warnings.push(text),
    };
    const watch = new NetworkWatch(history.options, context, 256);
    await watch.refresh();
    expect(warnings).toEqual([]);
    expect(watch.validatorsOf(asCycle(20))?.nodes.map(({ id }) => id)).toEqual(history.nodeIds);
    expect(watch.validatorsOf(asCycle(22))?.nodes).toHaveLength(10);
    expect(watch.validatorsOf(asCycle(24))?.nodes).toHaveLength(9);
  });
});
