/**
 * What a run asks for and receives, and what a plan takes: `node test/bench/ring.js`.
 *
 * Clusters of 100 and 1,000 validators, each in a process of its own, with ranges and without, and the real
 * command against them in both orders. What the least could be is found here by another way than the
 * command's own: by trying every beginning of a round over the bytes that each validator really sends.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { planAssembly } from "../../dist/app/plan.js";
import { makeShard, partitionRange, storedPartitions } from "../../dist/protocol/shard.js";
import { spawnCluster } from "../../dist/testnet/cluster/spawn-cluster.js";
import { machine, median, say, time } from "./measure.js";

const run = promisify(execFile);
const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));
const sharding = { nodesPerConsensusGroup: 5, nodesPerEdge: 2 };
const shardingFlags = ["--nodes-per-consensus-group", "5", "--nodes-per-edge", "2"];
const planRounds = 7;
const outputBytesMax = 1e9;

/** Rows of the table: `{what, atLeast, aim, measured, note}`. */
export async function ringRows() {
  const scratch = await mkdtemp(join(tmpdir(), "bench-ring-"));
  try {
    const rows = [];
    for (const nodes of [100, 1000]) rows.push(...(await clusterRows(nodes, scratch)));
    rows.push(await planRow(scratch));
    return rows;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function clusterRows(nodes, scratch) {
  const shard = makeShard({ numNodes: nodes, ...sharding });
  const fewest = leastWeight(shard, new Array(nodes).fill(1));
  const ranged = await withCluster(nodes, [], scratch, async (cluster) => {
    const state = await stateBytes(cluster, shard);
    return { state, ...(await bothOrders(cluster, scratch)) };
  });
  const whole = await withCluster(nodes, ["*:no-range"], scratch, async (cluster) => {
    const sent = await Promise.all(cluster.nodes.map(({ url }) => answerBytes(cluster, url, {})));
    return { least: leastWeight(shard, sent), ...(await bothOrders(cluster, scratch)) };
  });
  const overState = (order) => round3(ranged[order].bytesReceived / ranged.state);
  const overLeast = (order) => round3(whole[order].bytesReceived / whole.least);
  const overFewest = (order) => round3(ranged[order].queries.length / fewest);
  const ofPreimages = (order) => round3(ranged[order].bytesReceived / ranged[order].stateBytes);
  return [
    {
      what: `bytes received ÷ bytes of state, ${nodes} nodes with ranges`,
      atLeast: 1.02,
      aim: 1,
      measured: overState("bisect"),
      note: `state as it goes over the wire, each account once; --order cover ${overState("cover")}; ÷ bytes as published ${ofPreimages("bisect")} and ${ofPreimages("cover")}`,
    },
    {
      what: `bytes received ÷ the least that any choice could reach, ${nodes} nodes without ranges, --order cover`,
      atLeast: 1.05,
      aim: 1,
      measured: overLeast("cover"),
      note: `Algorithm 1 ${overLeast("bisect")}`,
    },
    {
      what: `requests for partial snapshots ÷ the fewest that could cover, ${nodes} nodes, --order cover`,
      atLeast: 1,
      aim: 1,
      measured: overFewest("cover"),
      note: `${ranged.cover.queries.length} of ${fewest}; without ranges ${whole.cover.queries.length}; Algorithm 1 ${ranged.bisect.queries.length}, ${overFewest("bisect")}`,
    },
  ];
}

async function withCluster(nodes, faults, scratch, action) {
  const fixture = {
    name: "ring",
    description: "A ring of validators.",
    seed: `ring-${nodes}`,
    nodes,
    ...sharding,
    accounts: 20_000,
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

/** The summaries of a run in each order. */
async function bothOrders(cluster, scratch) {
  const summaries = {};
  for (const order of ["bisect", "cover"]) {
    const out = join(scratch, "out");
    const lists = ["--archiver", cluster.archiverUrl, "--timestamp", String(cluster.snapshotTimestamp)];
    const args = [...lists, ...shardingFlags, "--order", order, "--out", out, "--json"];
    const { stdout } = await run(process.execPath, [command, ...args], { maxBuffer: outputBytesMax });
    summaries[order] = JSON.parse(stdout.trim().split("\n").at(-1));
    await rm(out, { recursive: true });
  }
  return summaries;
}

async function answerBytes({ snapshotTimestamp: timestamp }, url, fields) {
  const body = JSON.stringify({ timestamp, ...fields });
  const response = await fetch(`${url}/snapshot`, {
    method: "POST",
    body,
    headers: { "accept-encoding": "identity" },
  });
  return (await response.arrayBuffer()).byteLength;
}

/** Of all accounts as a validator sends them, each once, without what is around them. */
async function stateBytes(cluster, shard) {
  const envelopeBytes = Buffer.byteLength('{"snapshot":[]}');
  const parts = cluster.nodes.map(({ url }, partition) => {
    const { low: accountStart, high: accountEnd } = partitionRange(shard, partition);
    return answerBytes(cluster, url, { accountStart, accountEnd, isGlobal: false });
  });
  const global = answerBytes(cluster, cluster.nodes[0].url, { isGlobal: true });
  const sizes = await Promise.all([...parts, global]);
  return sizes.reduce((sum, bytes) => sum + bytes - envelopeBytes, 0);
}

/** The least sum of any choice of nodes that together store every partition, however many they are. */
function leastWeight(shard, weights) {
  const nodes = shard.numNodes;
  const stored = storedPartitions(shard, 0).length;
  if (stored === nodes) return Math.min(...weights);
  // One of those that store partition 0 is among them: from the end of its arc the rest is a line.
  const centres = storedPartitions(shard, 0);
  return Math.min(...centres.map((centre) => leastLine(shard, weights, centre, stored)));
}

function leastLine({ numNodes }, weights, first, stored) {
  const radius = (stored - 1) / 2;
  // By how many partitions from the beginning of the first one's arc are covered.
  const least = new Array(numNodes + stored + 1).fill(Number.POSITIVE_INFINITY);
  least[stored] = weights[first];
  for (let covered = stored; covered < numNodes; covered++) {
    if (least[covered] === Number.POSITIVE_INFINITY) continue;
    for (let more = 1; more <= stored; more++) {
      const node = (first - radius + covered + more - stored + radius + 2 * numNodes) % numNodes;
      least[covered + more] = Math.min(least[covered + more], least[covered] + weights[node]);
    }
  }
  return Math.min(...least.slice(numNodes));
}

/** A list of 10,000 nodes in a file, and the whole command as a user runs it. */
async function planRow(scratch) {
  const path = join(scratch, "nodes.json");
  const hex = (text) => createHash("sha256").update(text).digest("hex");
  const nodeList = Array.from({ length: 10_000 }, (_, index) => ({
    id: hex(`id ${index}`),
    ip: `10.0.${index >> 8}.${index & 255}`,
    port: 9001,
    publicKey: hex(`key ${index}`),
  }));
  await writeFile(path, JSON.stringify({ nodeList }));
  const times = { whole: [], engine: [], bare: [] };
  const args = [command, "plan", "--nodes", path, ...shardingFlags];
  for (let round = 0; round < planRounds; round++) {
    times.whole.push(await time(() => run(process.execPath, args, { maxBuffer: outputBytesMax })));
    times.bare.push(await time(() => run(process.execPath, ["-e", "0"])));
    times.engine.push(await time(() => planAssembly({ nodes: path, ...sharding })));
  }
  return {
    what: "plan for 10,000 nodes, milliseconds",
    atLeast: 300,
    aim: 100,
    measured: median(times.whole),
    note: `the whole command from a file, of which Node.js alone ${median(times.bare)}; reading, checking and planning in a process that has done it before ${median(times.engine)}`,
  };
}

function round3(value) {
  return Math.round(value * 1000) / 1000;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rows = await ringRows();
  for (const { what, atLeast, aim, measured, note } of rows) {
    say(`${what}\n  at most ${atLeast}, aim ${aim}, measured ${measured} (${note})`);
  }
  say(JSON.stringify({ machine, rows }));
}
