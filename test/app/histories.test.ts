import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assemble } from "../../src/app/assemble.ts";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { planAssembly } from "../../src/app/plan.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import { httpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { histories, joining } from "../published-archiver/histories.ts";
import { type HistorySettings, type RunningHistory, startHistory } from "../published-archiver/history.ts";
import { standInArchiver } from "../published-archiver/stand-in-archiver.ts";
import { failureOf } from "./run.ts";

const networkOf = ({ archiver, archiverKey }: AssembleOptions) => ({ archiver, archiverKey });

const start = (settings: HistorySettings): Promise<RunningHistory> => startHistory(settings, standInArchiver);

describe("the snapshot of a network with a history", () => {
  it.each(histories)("is published and proved, and no node is blamed, if $id", async (settings) => {
    const { options, expected, archiverKey } = await start(settings);
    const result = await assemble(options);
    expect(result).toMatchObject({ ...expected, offences: [] });
    const { findings } = await verifySnapshot(result.directory, { archiverKey, require: "proved" });
    expect(findings).toEqual([]);
  });

  describe.each([
    { id: "shutdown", nodes: 9, newest: 25, shutdown: 25 },
    { id: "restart", nodes: 9, newest: 26, shutdown: 25 },
    { id: "restore", nodes: 18, newest: 28, shutdown: 25, lives: joining(18, 9) },
  ])("of a cycle before mode $id, in which no node is active", ({ id, ...settings }) => {
    it("is assembled from validators that still respond and that the records state", async () => {
      const { options, expected, archiverKey } = await start({ snapshotCycle: 20, ...settings });
      const result = await assemble(options);
      expect(result).toMatchObject({ ...expected, offences: [] });
      const { findings } = await verifySnapshot(result.directory, { archiverKey, require: "proved" });
      expect(findings).toEqual([]);
    });

    it("is assembled from a node list in a file", async () => {
      const isForgotten = Array.from({ length: 9 }, (_, index) => index);
      const { options, expected, nodesOfCycle } = await start({
        snapshotCycle: 20,
        isForgotten,
        ...settings,
      });
      expect(await failureOf(assemble(options))).toMatchObject({ code: "temporary" });
      const nodes = join(temporaryDirectory(), "nodes.json");
      writeFileSync(nodes, JSON.stringify(nodesOfCycle));
      expect(await assemble({ ...options, nodes, archiverKey: undefined })).toMatchObject(expected);
    });

    it("is a temporary failure if the validators do not respond", async () => {
      const gone = Array.from({ length: settings.nodes }, (_, index) => index);
      const { options } = await start({ snapshotCycle: 20, gone, ...settings });
      const given = { ...options, nodesPerConsensusGroup: 5, nodesPerEdge: 2 };
      const message = expect.stringContaining(`mode ${id}`);
      expect(await failureOf(assemble(given))).toMatchObject({ code: "temporary", message });
      expect(await failureOf(assemble(options))).toMatchObject({ code: "temporary", message });
    });

    it("is a temporary failure if the records do not state its nodes", async () => {
      const isForgotten = Array.from({ length: 9 }, (_, index) => index);
      const { options } = await start({ snapshotCycle: 20, isForgotten, ...settings });
      const message = expect.stringContaining(`mode ${id}`);
      const hint = expect.stringContaining("--nodes");
      expect(await failureOf(assemble(options))).toMatchObject({ code: "temporary", message, hint });
    });
  });

  it.each([
    { id: "debug.disableSnapshots", config: { debug: { disableSnapshots: true } } },
    { id: "stateManager.useAccountCopiesTable", config: { stateManager: { useAccountCopiesTable: false } } },
  ])("does not exist if snapshots are off, by $id", async ({ id, config }) => {
    const { options } = await start({ nodes: 5, snapshotCycle: 20, newest: 25, config });
    const failure = await failureOf(assemble(options));
    expect(failure).toMatchObject({ code: "no-agreement", message: expect.stringContaining(id) });
    const { warnings } = await planAssembly({
      ...networkOf(options),
      timestamp: { kind: "cycle", counter: 20 },
    });
    expect(warnings).toEqual([expect.stringContaining(`make no snapshots: ${id}`)]);
  });

  it.each([
    { id: "proved", isGone: false, says: "make no snapshots: debug.disableSnapshots is true" },
    {
      id: "told by one validator of another configuration",
      isGone: true,
      says: "make no snapshots (stated by ",
    },
  ])("fails with the reason if the settings are given and snapshots are off, $id", async (given) => {
    const { options } = await start({
      nodes: 5,
      snapshotCycle: 20,
      newest: 25,
      config: { debug: { disableSnapshots: true } },
      ...(given.isGone ? { recordedConfigHash: "0".repeat(64) } : {}),
    });
    // No node has hashes of this cycle.
    const settings = { timestamp: "cycle:19", nodesPerConsensusGroup: 5, nodesPerEdge: 2 };
    const failure = await failureOf(assemble({ ...options, ...settings }));
    expect(failure).toMatchObject({ code: "no-agreement", hint: expect.stringContaining(given.says) });
  });

  it("fails without that reason if snapshots are on", async () => {
    const { options } = await start({ nodes: 5, snapshotCycle: 20, newest: 25 });
    const settings = { timestamp: "cycle:19", nodesPerConsensusGroup: 5, nodesPerEdge: 2 };
    const failure = await failureOf(assemble({ ...options, ...settings }));
    expect(failure).toMatchObject({
      code: "no-agreement",
      hint: expect.not.stringContaining("no snapshots"),
    });
  });

  it("is found although the archiver's cycle records are one record older than its node list", async () => {
    const lives = { 7: { joined: 18, activated: 22 } };
    const settings = { nodes: 10, snapshotCycle: 20, lives };
    const { options, expected } = await start({ ...settings, newest: 22 });
    const staleBy = (responses: number) => {
      let requests = 0;
      return httpServer((request, response) => {
        const isRecords = request.url?.startsWith("/cycleinfo") === true;
        const isStale = isRecords && ++requests <= responses;
        fetch(`${options.archiver}${request.url}`)
          .then(async (response) => (await response.json()) as { cycleInfo?: { counter: number }[] })
          .then((body) => {
            // A response without the newest record no longer has the archiver's signature.
            const { sign: _, ...rest } = body as { sign?: unknown; cycleInfo?: { counter: number }[] };
            const cycleInfo = isStale
              ? rest.cycleInfo?.filter(({ counter }) => counter < 22)
              : rest.cycleInfo;
            response.end(JSON.stringify(isRecords ? { cycleInfo } : rest));
          })
          .catch(() => response.destroy());
      });
    };
    const unsigned = { ...options, archiverKey: undefined };
    const caught = await assemble({ ...unsigned, archiver: await staleBy(1) });
    expect(caught).toMatchObject({ ...expected, offences: [] });
    const stale = await failureOf(assemble({ ...unsigned, archiver: await staleBy(100) }));
    expect(stale).toMatchObject({
      code: "temporary",
      message: expect.stringContaining("10 nodes for cycle 20"),
    });
  });

  it("fails immediately with requireChain if the records name no network hashes", async () => {
    const { options } = await start({ nodes: 5, snapshotCycle: 20, newest: 25 });
    const failure = await failureOf(assemble({ ...options, requireChain: true }));
    expect(failure).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("no networkDataHash"),
      hint: expect.stringContaining("--require-chain"),
    });
  });

  it("is a temporary failure before the first cycle of a network", async () => {
    const archiver = await httpServer((request, response) => {
      const isNodes = request.url?.startsWith("/full-nodelist");
      response.end(JSON.stringify(isNodes ? { nodeList: [] } : { cycleInfo: [] }));
    });
    const failure = await failureOf(assemble({ archiver, timestamp: "latest", out: temporaryDirectory() }));
    expect(failure).toMatchObject({
      code: "temporary",
      message: expect.stringContaining("no cycle records"),
    });
  });

  it("is counted without the vote of a node whose key no record states, and the node is named", async () => {
    const { options, expected, nodeIds } = await start({
      nodes: 10,
      snapshotCycle: 120,
      newest: 125,
      lives: { 3: { left: { cycle: 123, way: "removed" } } },
      gone: [3],
      isForgotten: [3],
    });
    const result = await assemble(options);
    expect(result).toMatchObject({ ...expected, offences: [] });
    expect(result.warnings).toEqual([expect.stringContaining(String(nodeIds[3]?.slice(0, 8)))]);
  });

  it("is audited by the nodes of its cycle, which only proved records derive from an auditor's list", async () => {
    const { options } = await start({
      nodes: 10,
      snapshotCycle: 20,
      newest: 25,
      lives: { 7: { joined: 18, activated: 22 } },
    });
    const { directory } = await assemble(options);
    const own = join(temporaryDirectory(), "own.json");
    const audit = () => verifySnapshot(directory, { trustNodeList: own, require: "told" });
    // The archiver that signed the records also signed this list.
    const list = readFileSync(join(directory, "evidence", "node-list.json"), "utf8");
    writeFileSync(own, list);
    expect(await audit()).toMatchObject({ findings: [], nodeList: { source: "auditor", nodes: 9 } });
    // Otherwise, an attacker who invents the records could remove nodes from this list.
    const { nodeList } = JSON.parse(list) as { nodeList: object[] };
    writeFileSync(own, JSON.stringify(nodeList));
    const { findings } = await audit();
    expect(findings.map(({ kind }) => kind)).toContain("node-list");
  });
});
