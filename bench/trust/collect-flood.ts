/**
 * Measures a collector under a flood: `npm run bench:flood -- [seconds]`.
 *
 * The collector runs in a process of its own, for a network of 1,000 nodes of which each stores 9 partitions. For some
 * seconds, this process sends messages that the collector must reject, as fast as it responds, while another client
 * pushes valid ones at a steady pace. Each kind of flood runs alone, then all kinds together, then the same messages
 * many to a push. Further rows: a flood from another address, and valid messages alone. Prints a table, and JSON on
 * the last line.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { commandPath, end } from "../command.ts";
import { machine, print } from "../measure.ts";
import { type FloodRequest, flood, post } from "./flood.ts";
import { FloodMessages, newestCycle } from "./flood-messages.ts";

const seconds = Number(process.argv[2] ?? 5);
const numNodes = 1_000;
const validPerSecond = 100;
/** Different messages of one kind. */
const variants = 64;
const otherAddress = "127.0.0.2";

const scratch = await mkdtemp(join(tmpdir(), "bench-flood-"));
const messages = new FloodMessages(numNodes, { nodesPerConsensusGroup: 5, nodesPerEdge: 2 });

interface Collector {
  readonly child: ChildProcess;
  readonly url: string;
}

interface Flood {
  readonly name: string;
  readonly requests: readonly FloodRequest[];
  readonly messagesPerRequest?: number;
  readonly localAddress?: string;
}

try {
  await writeLists();
  const collector = await startCollector();
  try {
    const results = await measure(collector);
    print(JSON.stringify({ machine, seconds, results }));
  } finally {
    print(`exit status ${await end(collector.child, "SIGTERM")}`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}

function makeFloods(): Flood[] {
  const badSignatures = () => distinct(() => post(messages.forged("signature")));
  const kinds: Flood[] = [
    { name: "not JSON", requests: [post("this is not JSON, and it is long ".repeat(27))] },
    { name: "other cycle", requests: [post(JSON.stringify(messages.message(0, { cycle: 10_000 })))] },
    {
      name: "unknown sender",
      requests: [post(JSON.stringify(messages.message(0, { sender: randomBytes(32).toString("hex") })))],
    },
    { name: "wrong owner", requests: distinct(() => post(messages.forged("owner"))) },
    { name: "repeated", requests: [post(messages.valid())] },
    { name: "bad signature", requests: badSignatures() },
    { name: `bad signature, from ${otherAddress}`, requests: badSignatures(), localAddress: otherAddress },
  ];
  const mixed = Array.from({ length: variants }, (_, turn) =>
    kinds.flatMap(({ requests }) => requests[turn % requests.length] ?? []),
  ).flat();
  const list = post(`{"messages":[${distinct(() => messages.forged("owner")).join(",")}]}`);
  return [
    { name: "none", requests: [] },
    ...kinds,
    { name: "all of these together", requests: mixed },
    { name: `wrong owner, ${variants} to a push`, requests: [list], messagesPerRequest: variants },
  ];
}

async function measure(collector: Collector) {
  print("flood                          rejected/s   valid sent  accepted   p50 ms   p99 ms   memory");
  const results = [];
  for (const one of makeFloods()) results.push(await measureFlood(one, collector));
  return results;
}

async function measureFlood(
  { name, requests, messagesPerRequest = 1, localAddress = "127.0.0.1" }: Flood,
  { url, child }: Collector,
) {
  const ending = new AbortController();
  const startedMs = performance.now();
  const flooding = requests.length === 0 ? [] : flood({ url, requests, localAddress, signal: ending.signal });
  const valid = await pushValid(url);
  ending.abort();
  const responses = (await Promise.all(flooding)).reduce((sum, count) => sum + count, 0);
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  const refusedPerSecond = Math.round((responses * messagesPerRequest) / elapsedSeconds);
  const memoryMB = peakMegabytesOf(child);
  const cells = [refusedPerSecond, valid.sent, valid.accepted, valid.p50Ms, valid.p99Ms, `${memoryMB} MB`];
  print(`${name.padEnd(30)} ${cells.map((cell) => String(cell).padStart(10)).join(" ")}`);
  return { name, refusedPerSecond, ...valid, memoryMB };
}

/** Pushes valid messages at a steady pace, however long their responses take. */
async function pushValid(url: string) {
  const latenciesMs: number[] = [];
  const statuses = new Map<number, number>();
  const pending: Promise<void>[] = [];
  const sent = seconds * validPerSecond;
  const startMs = performance.now();
  for (let push = 0; push < sent; push++) {
    const waitMs = startMs + (push * 1000) / validPerSecond - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    pending.push(pushOne(messages.valid()));
  }
  await Promise.all(pending);
  latenciesMs.sort((a, b) => a - b);
  const percentile = (share: number) =>
    Number((latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0).toFixed(1));
  return {
    sent,
    accepted: statuses.get(202) ?? 0,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    statuses: [...statuses],
  };

  async function pushOne(body: string): Promise<void> {
    const sentMs = performance.now();
    const response = await fetch(`${url}/partition-gossip`, { method: "POST", body });
    await response.arrayBuffer();
    latenciesMs.push(performance.now() - sentMs);
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  }
}

function distinct<T>(make: () => T): T[] {
  return Array.from({ length: variants }, make);
}

async function writeLists(): Promise<void> {
  const nodes = messages.signers.map(({ id, publicKey }) => ({ id, ip: "127.0.0.1", port: 9, publicKey }));
  const cycles = Array.from({ length: newestCycle + 1 }, (_, counter) => ({
    counter,
    start: 1_700_000_000 + 60 * counter,
    duration: 60,
    active: numNodes,
    networkId: "bench",
  }));
  await writeFile(join(scratch, "nodes.json"), JSON.stringify(nodes));
  await writeFile(join(scratch, "cycles.json"), JSON.stringify(cycles));
}

async function startCollector(): Promise<Collector> {
  const args = ["collect", "--nodes", join(scratch, "nodes.json"), "--cycles", join(scratch, "cycles.json")];
  args.push("--nodes-per-consensus-group", "5", "--nodes-per-edge", "2", "--listen", "127.0.0.1:0");
  // It polls no validator during the measurement, so that only pushes count.
  args.push("--hash-db", join(scratch, "hashes.sqlite"), "--poll", "60m", "--json");
  const child = spawn(process.execPath, [commandPath, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const event: { type: string; url: string } = JSON.parse(line);
    if (event.type !== "listening") continue;
    child.stdout.resume();
    return { child, url: event.url };
  }
  throw new Error("the collector ended before it listened");
}

/** Returns the peak memory of a process (Linux). */
function peakMegabytesOf({ pid }: ChildProcess): number {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kilobytes) / 1000);
}
