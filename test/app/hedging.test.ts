import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import type { AssembleEvent } from "../../src/events/assemble-events.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom } from "./run.ts";

/**
 * Nine nodes, each of which stores `index ± 2`. Algorithm 1 queries node 0 for -1, 0, 1, 2, 7 and 8, node 8
 * for 6, node 4 for 3, 4 and 5.
 */
const nine = { nodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1, accounts: 300 };
const partitions = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/** The directory of every test in this file. The tests run concurrently, so none removes it at its own end. */
const scratch = mkdtempSync(join(tmpdir(), "snapshot-assemble-overtaking-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The time of a straggler, and a stall timeout. A run that waits for either does not end within the test's timeout. */
const lateMs = 600_000;
const timeout = 300_000;

/** Runs with the stall timeout of a straggler. */
async function run(faults: readonly string[], changes: Partial<AssembleOptions> = {}) {
  return await withCluster({ ...nine, faults }, async (cluster) => {
    const events: AssembleEvent[] = [];
    const result = await assembleFrom(cluster, {
      nodesPerConsensusGroup: nine.nodesPerConsensusGroup,
      nodesPerEdge: nine.nodesPerEdge,
      out: mkdtempSync(join(scratch, "run-")),
      stallTimeoutMs: lateMs,
      reporter: { report: (event) => void events.push(event) },
      ...changes,
    });
    expect(result).toMatchObject(await published(smallFixture({ ...nine, faults })));
    expect(await verifySnapshot(result.directory)).toMatchObject({ ok: true, findings: [] });
    const indexOf = new Map(cluster.nodes.map(({ id, index }) => [id, index]));
    const queries = result.queries.map((query) => ({ ...query, index: indexOf.get(query.node) as number }));
    // Even after hedges, each partition is committed once, and the record names its node.
    const given = queries.flatMap(({ index, verified }) =>
      verified.map((partition) => ({ partition, index })),
    );
    given.sort((a, b) => a.partition - b.partition);
    expect(given.map(({ partition }) => partition)).toEqual(partitions);
    const record = JSON.parse(readFileSync(join(result.directory, "run.json"), "utf8")) as {
      partitions: { partition: number; source: { kind: string; id: string } }[];
    };
    expect(
      record.partitions.map(({ partition, source }) => ({ partition, index: indexOf.get(source.id) })),
    ).toEqual(given);
    const progress = events.flatMap((event) => (event.type === "progress" ? [event.progress] : []));
    expect(progress.at(-1)).toMatchObject({ partitions: { verified: partitions.length } });
    expect(result.bytes.received).toBe(queries.reduce((sum, { bytes }) => sum + bytes, 0));
    const offenders = result.offences.map(({ node, kind }) => `${indexOf.get(node)}: ${kind}`);
    return { result, queries, offenders };
  });
}

/** The run ends a straggler when a hedge has begun or, if that gave everything meanwhile, when its place is needed. */
const cancelled = expect.stringMatching(/^(hedged|not-needed)$/);

describe.concurrent("a straggling node", () => {
  it.each([
    { id: "responds after ten minutes", fault: "0:slow=600s" },
    { id: "never responds", fault: "0:stall" },
    { id: "sends one byte per second", fault: "0:trickle" },
  ])("is hedged and not blamed if it $id", { timeout }, async ({ fault }) => {
    const { queries, offenders } = await run([fault]);
    expect(offenders).toEqual([]);
    expect(queries.filter(({ index }) => index === 0).map(({ outcome }) => outcome)).toEqual(
      expect.arrayContaining([cancelled]),
    );
  });

  it("does not delay a run with one query at a time", { timeout }, async () => {
    const { queries, offenders } = await run(["8:stall"], { concurrency: 1 });
    expect(offenders).toEqual([]);
    expect(queries.find(({ index }) => index === 8)?.outcome).toEqual(cancelled);
  });

  it("is hedged with --order cover too", { timeout }, async () => {
    const honest = await run([], { order: "cover" });
    const first = honest.queries[0]?.index as number;
    const { queries, offenders } = await run([`${first}:stall`], { order: "cover" });
    expect(offenders).toEqual([]);
    expect(queries.find(({ index }) => index === first)?.outcome).toEqual(cancelled);
  });

  it("is hedged again if the hedge straggles too", { timeout }, async () => {
    const { queries, offenders } = await run(["0:stall", "1:stall", "2:stall", "3:stall"]);
    expect(offenders).toEqual([]);
    expect(queries.some(({ index, verified }) => index > 3 && verified.length > 0)).toBe(true);
  });

  it("is waited for if no other node is honest, and fast liars are recorded", {
    timeout,
  }, async () => {
    // Partition 8 is stored by nodes 6, 7, 8, 0 and 1; node 0 is queried first.
    const liars = [6, 7, 8, 1];
    const { queries, offenders } = await run([
      "0:slow=6s",
      ...liars.map((node) => `${node}:omit-partition=8`),
    ]);
    const giver = queries.find(({ verified }) => verified.includes(asPartition(8)));
    expect(giver?.index).toBe(0);
    expect(offenders).toContain("1: wrong-partition");
    expect(offenders.filter((text) => text.startsWith("0"))).toEqual([]);
  });

  it.each([
    { id: "from the first queried node", faults: ["0:drip"], changes: {} },
    { id: "with --order cover", faults: ["0:drip", "4:drip"], changes: { order: "cover" } as const },
    { id: "with one query at a time", faults: ["0:drip", "4:drip"], changes: { concurrency: 1 } },
    { id: "a megabyte in one piece", faults: ["4:drip=1500"], changes: {} },
    {
      id: "from more nodes than places for queries",
      faults: ["0:drip", "4:drip", "8:drip"],
      changes: { concurrency: 2 },
    },
  ])("does not delay a run by endless false accounts: $id", { timeout }, async ({ faults, changes }) => {
    const { queries } = await run(faults, changes);
    const liars = faults.map((fault) => Number(fault[0]));
    expect(queries.filter(({ index }) => liars.includes(index)).flatMap(({ verified }) => verified)).toEqual(
      [],
    );
  });

  it("does not win by a fast and false response", { timeout }, async () => {
    // The neighbours of node 0 store its partitions too, and two of them lie about all of them.
    const { queries, offenders } = await run(["0:slow=600s", "1:corrupt-data", "7:corrupt-data"]);
    expect(
      queries.filter(({ index }) => index === 1 || index === 7).flatMap(({ verified }) => verified),
    ).toEqual([]);
    expect(new Set(offenders.filter((text) => !/^[17]: wrong-partition$/.test(text)))).toEqual(new Set());
    expect(offenders.length).toBeGreaterThan(0);
  });
});

describe("a run without stragglers", () => {
  it("queries each node once, in the order of Algorithm 1", async () => {
    const { queries } = await run([]);
    expect(queries.map(({ index }) => index).sort()).toEqual([0, 4, 8]);
    expect(queries.every(({ outcome }) => outcome === "complete")).toBe(true);
  });
});
