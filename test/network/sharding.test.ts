import { describe, expect, it, onTestFinished, vi } from "vitest";
import { HttpClient } from "../../src/fetch/http-client.ts";
import { netconfigNodes } from "../../src/model/limits.ts";
import type { ActiveNode } from "../../src/model/node.ts";
import { makeShard } from "../../src/model/shard.ts";
import { findShard } from "../../src/network/sharding.ts";
import { deadUrl, httpServer } from "../servers.ts";

/** Short, so that an answer without an end can be waited for. */
const netconfigTimeMaxMs = 1_000;
vi.mock("../../src/model/limits.ts", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  netconfigTimeMaxMs: 1_000,
}));

/** What a node does with a request for its settings. */
type Manner = "true" | "false" | "other" | "none" | "malformed" | "broken" | "endless" | "down";

/** Group and edge. */
const settings = { true: [7, 3], false: [128, 64], other: [9, 1] } as const;

const noMajority = "no majority of validators agrees on the sharding settings in /netconfig";
const noneTold = "no validator told its sharding settings in /netconfig";
const usual = expect.stringContaining("taking the usual 5 nodes per consensus group and 2 per edge");

/** One server plays all nodes: the first part of the path says which of them is asked. */
async function findFrom(manners: readonly Manner[], given: Parameters<typeof findShard>[1] = {}) {
  const asked: string[] = [];
  const alive = await httpServer((request, response) => {
    const [, manner = ""] = (request.url ?? "").split("/");
    asked.push(request.url ?? "");
    if (manner === "none") response.writeHead(404).end('{"error":"not here"}');
    else if (manner === "malformed") response.end('{"config":{"sharding":{"nodesPerConsensusGroup":"7"}}}');
    else if (manner === "broken") response.socket?.resetAndDestroy();
    else if (manner === "endless") {
      const timer = setInterval(() => response.write(" ".repeat(1024)), 20);
      response.on("close", () => clearInterval(timer));
    } else {
      const [nodesPerConsensusGroup, nodesPerEdge] = settings[manner as keyof typeof settings];
      response.end(JSON.stringify({ config: { sharding: { nodesPerConsensusGroup, nodesPerEdge } } }));
    }
  });
  const dead = await deadUrl();
  const nodes = manners.map((manner, index): ActiveNode => {
    const id = index.toString(16).padStart(64, "0");
    return { id, url: `${manner === "down" ? dead : alive}/${manner}/${index}`, publicKey: id };
  });
  const client = new HttpClient({ connectTimeoutMs: 2_000, stallTimeoutMs: 5_000 });
  onTestFinished(() => client.close());
  const warnings: string[] = [];
  const shard = await findShard(nodes, given, { client, warn: (message) => warnings.push(message) });
  return { shard, warnings, asked };
}

function shardOf(numNodes: number, [nodesPerConsensusGroup, nodesPerEdge]: readonly [number, number]) {
  return makeShard({ numNodes, nodesPerConsensusGroup, nodesPerEdge });
}

function times(count: number, manner: Manner): Manner[] {
  return Array.from({ length: count }, () => manner);
}

describe("the sharding settings that validators tell", () => {
  it("are taken without a word where all tell the same", async () => {
    const { shard, warnings } = await findFrom(times(5, "true"));
    expect(shard).toEqual(shardOf(5, settings.true));
    expect(warnings).toEqual([]);
  });

  it.each<{ id: string; manners: Manner[] }>([
    { id: "have none", manners: ["false", ...times(4, "none")] },
    { id: "answer something else", manners: ["false", ...times(4, "malformed")] },
    { id: "end the connection", manners: ["false", ...times(4, "broken")] },
    { id: "do one or the other", manners: ["false", "none", "malformed", "broken"] },
    { id: "are a single one", manners: ["false", "none"] },
  ])("are not decided by a single node, where others that are there $id", async ({ manners }) => {
    const { shard, warnings } = await findFrom(manners);
    expect(shard).toEqual(shardOf(manners.length, [5, 2]));
    expect(warnings).toEqual([noMajority, usual]);
  });

  it("are not decided by just half of those that are there", async () => {
    const { shard, warnings } = await findFrom(["false", "false", "none", "none"]);
    expect(shard).toEqual(shardOf(4, [5, 2]));
    expect(warnings).toEqual([noMajority, usual]);
  });

  it("are decided by more than half of those that are there, and the others are counted", async () => {
    const { shard, warnings } = await findFrom(["false", "true", "other", "true", "true"]);
    expect(shard).toEqual(shardOf(5, settings.true));
    expect(warnings).toEqual(["2 of 5 validators tell other sharding settings in /netconfig"]);
  });

  it("are decided without the nodes that are down", async () => {
    const { shard, warnings } = await findFrom([...times(7, "down"), "true", "none", "true"]);
    expect(shard).toEqual(shardOf(10, settings.true));
    expect(warnings).toEqual([]);
  });

  it("are the usual ones where nobody has a majority", async () => {
    const { shard, warnings } = await findFrom(["true", "true", "false", "false", "other"]);
    expect(shard).toEqual(shardOf(5, [5, 2]));
    expect(warnings).toEqual([noMajority, usual]);
  });

  it.each<{ id: string; manners: Manner[] }>([
    { id: "has any", manners: times(3, "none") },
    { id: "is there", manners: times(3, "down") },
  ])("are the usual ones where nobody $id", async ({ manners }) => {
    const { shard, warnings } = await findFrom(manners);
    expect(shard).toEqual(shardOf(3, [5, 2]));
    expect(warnings).toEqual([noneTold, usual]);
  });

  it("are asked of no more nodes than the bound says", async () => {
    const { shard, asked } = await findFrom(times(netconfigNodes + 9, "true"));
    expect(new Set(asked).size).toBe(netconfigNodes);
    expect(asked).toHaveLength(netconfigNodes);
    expect(shard).toEqual(shardOf(netconfigNodes + 9, settings.true));
  });

  it("are not asked for where they are given, and fill in only what is not", async () => {
    const whole = await findFrom(times(3, "true"), { nodesPerConsensusGroup: 3, nodesPerEdge: 0 });
    expect(whole.shard).toEqual(shardOf(3, [3, 0]));
    expect(whole.asked).toEqual([]);
    const half = await findFrom(times(3, "true"), { nodesPerEdge: 0 });
    expect(half.shard).toEqual(shardOf(3, [7, 0]));
  });

  it("are not waited for without end, and an answer that has none counts as none", async () => {
    const startMs = performance.now();
    const decided = await findFrom(["true", "endless", "true"]);
    const undecided = await findFrom(["false", "endless", "endless"]);
    const tookMs = performance.now() - startMs;
    expect(decided.shard).toEqual(shardOf(3, settings.true));
    expect(undecided.shard).toEqual(shardOf(3, [5, 2]));
    expect(undecided.warnings).toEqual([noMajority, usual]);
    expect(tookMs).toBeGreaterThan(1.5 * netconfigTimeMaxMs);
  }, 10_000);
});
