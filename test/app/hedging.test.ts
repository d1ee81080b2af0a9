import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import type { AssembleEvent } from "../../src/events/assemble-events.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom } from "./run.ts";

/**
 * Nine nodes, each of which stores `index ± 2`. Asked by Algorithm 1: node 0 for -1, 0, 1, 2, 7 and 8, node 8
 * for 6, node 4 for 3, 4 and 5.
 */
const nine = { nodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1, accounts: 300 };
const partitions = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/** Of all tests of this file: they run at the same time, and what one leaves must not end with another. */
const scratch = mkdtempSync(join(tmpdir(), "snapshot-assemble-overtaking-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What a late node would take; and what a run must not, on however busy a machine. */
const lateMs = 60_000;
const halfMs = lateMs / 2;
const timeout = 2 * lateMs;

/** A run that would wait for a stalled node for a minute. */
async function run(faults: readonly string[], changes: Partial<AssembleOptions> = {}) {
  return await withCluster({ ...nine, faults }, async (cluster) => {
    const events: AssembleEvent[] = [];
    const startedMs = performance.now();
    const result = await assembleFrom(cluster, {
      nodesPerConsensusGroup: nine.nodesPerConsensusGroup,
      nodesPerEdge: nine.nodesPerEdge,
      out: mkdtempSync(join(scratch, "run-")),
      stallTimeoutMs: lateMs,
      reporter: { report: (event) => void events.push(event) },
      ...changes,
    });
    const durationMs = performance.now() - startedMs;
    expect(result).toMatchObject(await published(smallFixture({ ...nine, faults })));
    expect(await verifySnapshot(result.directory)).toMatchObject({ ok: true, findings: [] });
    const indexOf = new Map(cluster.nodes.map(({ id, index }) => [id, index]));
    const queries = result.queries.map((query) => ({ ...query, index: indexOf.get(query.node) as number }));
    // Whatever was asked twice: each partition is given once, and the record says by whom.
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
    expect(result.bytesReceived).toBe(queries.reduce((sum, { bytes }) => sum + bytes, 0));
    const offenders = result.offences.map(({ node, kind }) => `${indexOf.get(node)}: ${kind}`);
    return { result, queries, offenders, durationMs };
  });
}

describe.concurrent("a node that is late", () => {
  it.each([
    { id: "answers after a minute", fault: "0:slow=60s" },
    { id: "never answers", fault: "0:stall" },
    { id: "sends a byte a second", fault: "0:trickle" },
  ])("is overtaken and not blamed, where it $id", { timeout }, async ({ fault }) => {
    const { queries, offenders, durationMs } = await run([fault]);
    expect(durationMs).toBeLessThan(halfMs);
    expect(offenders).toEqual([]);
    expect(queries.filter(({ index }) => index === 0).map(({ outcome }) => outcome)).toContain("hedged");
  });

  it("does not hold up a run that asks one node at a time", { timeout }, async () => {
    const { queries, offenders, durationMs } = await run(["8:stall"], { concurrency: 1 });
    expect(durationMs).toBeLessThan(halfMs);
    expect(offenders).toEqual([]);
    expect(queries.find(({ index }) => index === 8)?.outcome).toBe("hedged");
  });

  it("is overtaken with --order cover as well", { timeout }, async () => {
    const honest = await run([], { order: "cover" });
    const first = honest.queries[0]?.index as number;
    const { queries, offenders, durationMs } = await run([`${first}:stall`], { order: "cover" });
    expect(durationMs).toBeLessThan(halfMs);
    expect(offenders).toEqual([]);
    expect(queries.find(({ index }) => index === first)?.outcome).toBe("hedged");
  });

  it("is overtaken by one after the other, where those are late as well", { timeout }, async () => {
    const { queries, offenders, durationMs } = await run(["0:stall", "1:stall", "2:stall", "3:stall"]);
    expect(durationMs).toBeLessThan(halfMs);
    expect(offenders).toEqual([]);
    expect(queries.some(({ index, verified }) => index > 3 && verified.length > 0)).toBe(true);
  });

  it("is waited for where nobody else has the truth, and fast liars are recorded", {
    timeout,
  }, async () => {
    // Partition 8 is stored by nodes 6, 7, 8, 0 and 1; node 0 is asked first.
    const liars = [6, 7, 8, 1];
    const { queries, offenders } = await run([
      "0:slow=6s",
      ...liars.map((node) => `${node}:omit-partition=8`),
    ]);
    const giver = queries.find(({ verified }) => verified.includes(8));
    expect(giver?.index).toBe(0);
    expect(offenders).toContain("1: wrong-partition");
    expect(offenders.filter((text) => text.startsWith("0"))).toEqual([]);
  });

  it.each([
    { id: "the one that is asked first", faults: ["0:drip"], changes: {} },
    { id: "by --order cover as well", faults: ["0:drip", "4:drip"], changes: { order: "cover" } as const },
    { id: "one node at a time", faults: ["0:drip", "4:drip"], changes: { concurrency: 1 } },
    { id: "a megabyte of it at once", faults: ["4:drip=1500"], changes: {} },
    {
      id: "more of them than there is room",
      faults: ["0:drip", "4:drip", "8:drip"],
      changes: { concurrency: 2 },
    },
  ])(
    "does not hold up a run with made-up accounts without end: $id",
    { timeout },
    async ({ faults, changes }) => {
      const { queries, durationMs } = await run(faults, changes);
      expect(durationMs).toBeLessThan(1.5 * halfMs);
      const liars = faults.map((fault) => Number(fault[0]));
      expect(
        queries.filter(({ index }) => liars.includes(index)).flatMap(({ verified }) => verified),
      ).toEqual([]);
    },
  );

  it("does not win by being fast and wrong", { timeout }, async () => {
    // What node 0 is late with is stored by its neighbours, of which two lie about everything.
    const { queries, offenders, durationMs } = await run(["0:slow=60s", "1:corrupt-data", "7:corrupt-data"]);
    expect(durationMs).toBeLessThan(halfMs);
    expect(
      queries.filter(({ index }) => index === 1 || index === 7).flatMap(({ verified }) => verified),
    ).toEqual([]);
    expect(new Set(offenders.filter((text) => !/^[17]: wrong-partition$/.test(text)))).toEqual(new Set());
    expect(offenders.length).toBeGreaterThan(0);
  });
});

describe("a run in which nobody is late", () => {
  it("asks nobody twice, in the order of Algorithm 1", async () => {
    const { queries } = await run([]);
    expect(queries.map(({ index }) => index).sort()).toEqual([0, 4, 8]);
    expect(queries.every(({ outcome }) => outcome === "complete")).toBe(true);
  });
});
