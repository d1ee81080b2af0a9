/**
 * Rows of the benchmark for bytes, requests and plans: clusters of 100 and 1,000 validators, each cluster in a process
 * of its own, with ranges and without, and the real command against them in both orders.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { planAssembly } from "../../dist/app/plan.js";
import type { RunSummary } from "../../dist/index.js";
import { asPartition } from "../../dist/protocol/brands.js";
import { makeShard, partitionRange, type Shard } from "../../dist/protocol/shard.js";
import type { Cluster } from "../../dist/testnet/cluster/cluster.js";
import { spawnCluster } from "../../dist/testnet/cluster/spawn-cluster.js";
import { type BenchRow, round3 } from "../bench-row.ts";
import { commandPath, lastLine } from "../command.ts";
import { median, timeMs } from "../measure.ts";
import { leastWeight } from "./least-weight.ts";

const run = promisify(execFile);
const sharding = { nodesPerConsensusGroup: 5, nodesPerEdge: 2 };
const shardingFlags = ["--nodes-per-consensus-group", "5", "--nodes-per-edge", "2"];
const planRounds = 7;
const outputBytesMax = 1e9;

type Order = "bisect" | "cover";
type Summaries = Record<Order, RunSummary>;

export async function ringRows(accounts = 20_000): Promise<BenchRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "bench-ring-"));
  try {
    const rows: BenchRow[] = [];
    for (const nodes of [100, 1000]) rows.push(...(await clusterRows(nodes, accounts, scratch)));
    rows.push(await planRow(scratch));
    return rows;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function clusterRows(nodes: number, accounts: number, scratch: string): Promise<BenchRow[]> {
  const shard = makeShard({ numNodes: nodes, ...sharding });
  const fewest = leastWeight(shard, new Array(nodes).fill(1));
  const ranged = await withCluster({ nodes, accounts, faults: [], scratch }, async (cluster) => ({
    state: await stateBytes(cluster, shard),
    runs: await runBothOrders(cluster, scratch),
  }));
  const whole = await withCluster({ nodes, accounts, faults: ["*:no-range"], scratch }, async (cluster) => {
    const sent = await Promise.all(cluster.nodes.map(({ url }) => responseBytes(cluster, url, {})));
    return { least: leastWeight(shard, sent), runs: await runBothOrders(cluster, scratch) };
  });
  const overState = (order: Order) => round3(ranged.runs[order].bytes.received / ranged.state);
  const overLeast = (order: Order) => round3(whole.runs[order].bytes.received / whole.least);
  const overFewest = (order: Order) => round3(ranged.runs[order].queries.length / fewest);
  const overPreimages = (order: Order) =>
    round3(ranged.runs[order].bytes.received / ranged.runs[order].stateBytes);
  return [
    {
      what: `bytes received ÷ bytes of state, ${nodes} nodes with ranges`,
      atLeast: 1.02,
      aim: 1,
      measured: overState("bisect"),
      note: `state in wire form, each account once; --order cover ${overState("cover")}; ÷ bytes as published ${overPreimages("bisect")} and ${overPreimages("cover")}`,
    },
    {
      what: `bytes received ÷ the least of any cover, ${nodes} nodes without ranges, --order cover`,
      atLeast: 1.05,
      aim: 1,
      measured: overLeast("cover"),
      note: `Algorithm 1 ${overLeast("bisect")}`,
    },
    {
      what: `requests for partial snapshots ÷ the fewest of any cover, ${nodes} nodes, --order cover`,
      atLeast: 1,
      aim: 1,
      measured: overFewest("cover"),
      note: `${ranged.runs.cover.queries.length} of ${fewest}; without ranges ${whole.runs.cover.queries.length}; Algorithm 1 ${ranged.runs.bisect.queries.length}, ${overFewest("bisect")}`,
    },
  ];
}

interface RingSettings {
  readonly nodes: number;
  readonly accounts: number;
  readonly faults: readonly string[];
  readonly scratch: string;
}

async function withCluster<T>(
  { nodes, accounts, faults, scratch }: RingSettings,
  action: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const fixture = {
    name: "ring",
    description: "A ring of validators.",
    seed: `ring-${nodes}`,
    nodes,
    ...sharding,
    accounts,
    accountBytes: 300,
    globalAccounts: 20,
    cycles: 12,
    cycleDuration: 60,
    snapshotCycle: 8,
    faults,
    expect: { exitStatus: 1 },
  };
  const path = join(scratch, `ring-${nodes}-${faults.length}.json`);
  await writeFile(path, JSON.stringify(fixture));
  const cluster = await spawnCluster(path);
  try {
    return await action(cluster);
  } finally {
    await cluster.stop();
  }
}

async function runBothOrders(cluster: Cluster, scratch: string): Promise<Summaries> {
  return {
    bisect: await assemble("bisect", cluster, scratch),
    cover: await assemble("cover", cluster, scratch),
  };
}

async function assemble(order: Order, cluster: Cluster, scratch: string): Promise<RunSummary> {
  const out = join(scratch, "out");
  const lists = ["--archiver", cluster.archiverUrl, "--timestamp", String(cluster.snapshotTimestamp)];
  const args = [...lists, ...shardingFlags, "--order", order, "--out", out, "--json"];
  const { stdout } = await run(process.execPath, [commandPath, ...args], { maxBuffer: outputBytesMax });
  await rm(out, { recursive: true });
  return JSON.parse(lastLine(stdout));
}

async function responseBytes(
  { snapshotTimestamp: timestamp }: Cluster,
  url: string,
  fields: object,
): Promise<number> {
  const response = await fetch(`${url}/snapshot`, {
    method: "POST",
    body: JSON.stringify({ timestamp, ...fields }),
    headers: { "accept-encoding": "identity" },
  });
  return (await response.arrayBuffer()).byteLength;
}

/** Returns the bytes of all accounts in wire form, each account once, without their envelopes. */
async function stateBytes(cluster: Cluster, shard: Shard): Promise<number> {
  const envelopeBytes = Buffer.byteLength('{"snapshot":[]}');
  const parts = cluster.nodes.map(({ url }, partition) => {
    const { low: accountStart, high: accountEnd } = partitionRange(shard, asPartition(partition));
    return responseBytes(cluster, url, { accountStart, accountEnd, isGlobal: false });
  });
  const global = responseBytes(cluster, cluster.nodes[0]?.url ?? "", { isGlobal: true });
  const sizes = await Promise.all([...parts, global]);
  return sizes.reduce((sum, bytes) => sum + bytes - envelopeBytes, 0);
}

/** Plans for 10,000 nodes of a file, with the whole command and in this process. */
async function planRow(scratch: string): Promise<BenchRow> {
  const path = join(scratch, "nodes.json");
  const hex = (text: string) => createHash("sha256").update(text).digest("hex");
  const nodeList = Array.from({ length: 10_000 }, (_, index) => ({
    id: hex(`id ${index}`),
    ip: `10.0.${index >> 8}.${index & 255}`,
    port: 9001,
    publicKey: hex(`key ${index}`),
  }));
  await writeFile(path, JSON.stringify({ nodeList }));
  const times = { whole: [] as number[], engine: [] as number[], bare: [] as number[] };
  const args = [commandPath, "plan", "--nodes", path, ...shardingFlags];
  for (let round = 0; round < planRounds; round++) {
    times.whole.push(await timeMs(() => run(process.execPath, args, { maxBuffer: outputBytesMax })));
    times.bare.push(await timeMs(() => run(process.execPath, ["-e", "0"])));
    times.engine.push(await timeMs(() => planAssembly({ nodes: path, ...sharding })));
  }
  return {
    what: "plan for 10,000 nodes, milliseconds",
    atLeast: 300,
    aim: 100,
    measured: median(times.whole),
    note: `the whole command from a file, of which Node.js alone ${median(times.bare)}; reading, checking and planning in a warm process ${median(times.engine)}`,
  };
}
