import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assemble } from "../../src/app/assemble.ts";
import { verifySnapshot } from "../../src/verify/verify-snapshot.ts";
import { httpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { histories, joining } from "../published-archiver/histories.ts";
import { type HistorySettings, type RunningHistory, startHistory } from "../published-archiver/history.ts";
import { standInArchiver } from "../published-archiver/stand-in-archiver.ts";
import { failureOf } from "./run.ts";

const start = (settings: HistorySettings): Promise<RunningHistory> => startHistory(settings, standInArchiver);

describe("the snapshot of a network with a history", () => {
  it.each(histories)("is published and proved, and nobody is blamed, where $id", async (settings) => {
    const { options, expected, archiverKey } = await start(settings);
    const result = await assemble(options);
    expect(result).toMatchObject({ ...expected, offences: [] });
    const { findings } = await verifySnapshot(result.directory, { archiverKey, require: "proved" });
    expect(findings).toEqual([]);
  });

  it.each([
    { id: "shutdown", nodes: 9, newest: 25, shutdown: 25 },
    { id: "restart", nodes: 9, newest: 26, shutdown: 25 },
    { id: "restore", nodes: 18, newest: 28, shutdown: 25, lives: joining(18, 9) },
  ])("has to wait for nodes in mode $id", async ({ id, ...settings }) => {
    const { options } = await start({ snapshotCycle: 20, ...settings });
    const failure = await failureOf(assemble(options));
    expect(failure).toMatchObject({ code: "temporary", message: expect.stringContaining(`mode ${id}`) });
  });

  it.each([
    { id: "debug.disableSnapshots", config: { debug: { disableSnapshots: true } } },
    { id: "stateManager.useAccountCopiesTable", config: { stateManager: { useAccountCopiesTable: false } } },
  ])("does not exist where snapshots are off, by $id", async ({ id, config }) => {
    const { options } = await start({ nodes: 5, snapshotCycle: 20, newest: 25, config });
    const failure = await failureOf(assemble(options));
    expect(failure).toMatchObject({ code: "no-agreement", message: expect.stringContaining(id) });
  });

  it("cannot be confirmed by a chain whose records name no network hashes, which is said at once", async () => {
    const { options } = await start({ nodes: 5, snapshotCycle: 20, newest: 25 });
    const failure = await failureOf(assemble({ ...options, requireChain: true }));
    expect(failure).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("no networkDataHash"),
      hint: expect.stringContaining("--require-chain"),
    });
  });

  it("has to wait for the first cycle of a network that is just starting", async () => {
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

  it("counts without the vote of a node whose key no record states, and says which", async () => {
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

  it("is audited by the nodes of its cycle, which proved records alone find in an auditor's own list", async () => {
    const { options } = await start({
      nodes: 10,
      snapshotCycle: 20,
      newest: 25,
      lives: { 7: { joined: 18, activated: 22 } },
    });
    const { directory } = await assemble(options);
    const own = join(temporaryDirectory(), "own.json");
    const audit = () => verifySnapshot(directory, { trustNodeList: own, require: "told" });
    // Signed by the archiver that signed the records as well.
    const list = readFileSync(join(directory, "evidence", "node-list.json"), "utf8");
    writeFileSync(own, list);
    expect(await audit()).toMatchObject({ findings: [], nodeList: { source: "auditor", nodes: 9 } });
    // Whoever made up the records could otherwise take nodes from this list.
    const { nodeList } = JSON.parse(list) as { nodeList: object[] };
    writeFileSync(own, JSON.stringify(nodeList));
    const { findings } = await audit();
    expect(findings.map(({ kind }) => kind)).toContain("node-list");
  });
});
