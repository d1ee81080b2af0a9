import { describe, expect, it } from "vitest";
import type { AssembleResult } from "../../src/app/assemble.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import type { Cluster } from "../../src/testnet/cluster/cluster.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom } from "./run.ts";

/** Twenty-three nodes, each of which stores five partitions: five nodes give everything. */
const wide = { nodes: 23, nodesPerConsensusGroup: 3, nodesPerEdge: 1, accounts: 400 };
const fewest = 5;

async function run(changes: Record<string, unknown>, order: "bisect" | "cover" = "cover", concurrency = 4) {
  return await withCluster({ ...wide, ...changes }, async (cluster) => {
    const result = await assembleFrom(cluster, { order, concurrency });
    expect(result).toMatchObject(await published(smallFixture({ ...wide, ...changes })));
    expect(await verifySnapshot(result.directory)).toMatchObject({ ok: true });
    return { result, queried: queriedOf(cluster, result) };
  });
}

function queriedOf(cluster: Cluster, { queries }: AssembleResult): number[] {
  const indexOf = new Map(cluster.nodes.map(({ id, index }) => [id, index]));
  return queries.map(({ node }) => indexOf.get(node) ?? -1);
}

const bytesOf = ({ queries }: AssembleResult) => queries.reduce((sum, { bytes }) => sum + bytes, 0);

describe("a run with --order cover", () => {
  it("queries the fewest nodes, each once", async () => {
    const { result, queried } = await run({});
    expect(queried).toHaveLength(fewest);
    expect(new Set(queried).size).toBe(fewest);
    expect(result.queries.every(({ outcome }) => outcome === "complete")).toBe(true);
    const { queried: bisected } = await run({}, "bisect");
    expect(bisected.length).toBeGreaterThan(fewest);
  });

  it("receives no account twice if nodes support ranges, and the minimum if they do not", async () => {
    const accounts = 404;
    const records = ({ queries }: AssembleResult) => queries.flatMap(({ verified }) => verified).length;
    const ranged = await run({});
    expect(records(ranged.result)).toBe(24);
    const whole = await run({ faults: ["*:no-range"] });
    expect(whole.queried).toHaveLength(fewest);
    const bisected = await run({ faults: ["*:no-range"] }, "bisect");
    const perAccount = bytesOf(ranged.result) / accounts;
    // Five nodes send five partitions each, of 23, and all of the global ones.
    expect(bytesOf(whole.result) / perAccount).toBeLessThan((accounts * 25 * 1.15) / 23);
    expect(bytesOf(whole.result)).toBeLessThan(bytesOf(bisected.result));
  });

  it("crosses empty partitions, whose content is known, without another request", async () => {
    const { queried } = await run({ emptyPartitions: [3, 8, 9, 15] });
    expect(queried.length).toBeLessThanOrEqual(fewest);
  });

  it("computes another cover if nodes are down, reject requests or lie", async () => {
    const whole = await run({}, "cover", 1);
    const [first = 0, second = 0, third = 0] = whole.queried;
    const faults = [`${first}:corrupt-data`, `${second}:no-snapshot`, `${third}:truncate`];
    const { result, queried } = await run({ faults }, "cover", 1);
    expect(queried.slice(0, 1)).toEqual([first]);
    expect(result.offences.map(({ kind }) => kind)).toContain("wrong-partition");
    expect(queried.length).toBeLessThan(wide.nodes);
  });

  it("queries every remaining node if necessary", async () => {
    const { queried } = await run({
      nodes: 5,
      nodesPerConsensusGroup: 3,
      nodesPerEdge: 0,
      faults: ["0:no-snapshot"],
    });
    expect(new Set(queried).size).toBeGreaterThan(1);
  });
});
