/**
 * What a collector does under a flood: `npm run build && node test/bench/collect-flood.js [<seconds>]`.
 *
 * A collector in a process of its own, for a network of 1,000 nodes of which each stores 9 partitions. For some
 * seconds, this process sends it messages that must be refused, as fast as they are answered, while another
 * client pushes valid ones at a steady pace. Each kind of flood is measured by itself, then all together; then
 * the same invalid messages many to a push, the flood of signatures from another address, and valid
 * messages alone. A table, and JSON on the last line.
 */

import { spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ownerOf, signed } from "../../dist/protocol/crypto/signature.js";
import { makeShard, storedPartitions } from "../../dist/protocol/shard.js";

const seconds = Number(process.argv[2] ?? 5);
const nodesCount = 1_000;
const newestCycle = 20;
const validPerSecond = 100;
const floodConnections = 16;
/** Requests on their way on one connection. */
const depth = 16;
const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

const scratch = await mkdtemp(join(tmpdir(), "bench-flood-"));
const network = makeNetwork();
let nextValid = 0;

try {
  await writeLists();
  const collector = await startCollector();
  try {
    const results = await measure(collector);
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
    say(JSON.stringify({ machine, seconds, results }));
  } finally {
    collector.child.kill("SIGTERM");
    const [status] = await once(collector.child, "exit");
    say(`ended with ${status}`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function measure(collector) {
  const floods = {
    "not JSON": [post("this is not JSON, but it goes on for a while ".repeat(20))],
    "other cycle": [post(messageText(0, { cycle: 10_000 }))],
    stranger: [post(messageText(0, { sender: randomBytes(32).toString("hex") }))],
    "wrong owner": distinct(64, () => post(forgedText("owner"))),
    repeated: [post(validText())],
    "bad signature": distinct(64, () => post(forgedText("signature"))),
    "bad signature, of 127.0.0.2": distinct(64, () => post(forgedText("signature"))),
  };
  const mixed = distinct(64, (_, turn) =>
    Object.values(floods).map((kind) => kind[turn % kind.length]),
  ).flat();
  const lists = [post(`{"messages":[${distinct(64, () => forgedText("owner")).join(",")}]}`)];
  const results = [];
  say("flood                          refused/s   valid sent  accepted   p50 ms   p99 ms   memory");
  await run("none", [], 1);
  for (const [name, requests] of Object.entries(floods)) await run(name, requests, 1, addressOf(name));
  await run("all of these together", mixed, 1);
  await run("wrong owner, 64 to a push", lists, 64);
  return results;

  async function run(name, requests, perRequest, from = "127.0.0.1") {
    const ending = { isOver: false };
    const startedMs = performance.now();
    const flooding = requests.length === 0 ? [] : flood(collector.url, requests, from, ending);
    const valid = await pushValid(collector.url);
    ending.isOver = true;
    const answered = (await Promise.all(flooding)).reduce((sum, count) => sum + count, 0);
    const elapsed = (performance.now() - startedMs) / 1000;
    const refusedPerSecond = Math.round((answered * perRequest) / elapsed);
    const result = { name, refusedPerSecond, ...valid, memoryMB: memoryOf(collector.child.pid) };
    results.push(result);
    const cells = [
      refusedPerSecond,
      valid.sent,
      valid.accepted,
      valid.p50Ms,
      valid.p99Ms,
      `${result.memoryMB} MB`,
    ];
    say(`${name.padEnd(28)} ${cells.map((cell) => String(cell).padStart(10)).join(" ")}`);
  }
}

function addressOf(name) {
  return name.endsWith("127.0.0.2") ? "127.0.0.2" : "127.0.0.1";
}

/** Valid messages at a steady pace, whatever their answers take. */
async function pushValid(url) {
  const latencies = [];
  const statuses = new Map();
  const pending = [];
  const pushes = seconds * validPerSecond;
  const startMs = performance.now();
  for (let push = 0; push < pushes; push++) {
    const waitMs = startMs + (push * 1000) / validPerSecond - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    pending.push(pushOne(url, validText()));
  }
  await Promise.all(pending);
  latencies.sort((a, b) => a - b);
  const at = (share) => Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1));
  return {
    sent: pushes,
    accepted: statuses.get(202) ?? 0,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    statuses: [...statuses],
  };

  async function pushOne(to, body) {
    const sentMs = performance.now();
    const response = await fetch(`${to}/partition-gossip`, { method: "POST", body });
    await response.arrayBuffer();
    latencies.push(performance.now() - sentMs);
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  }
}

/** Plain sockets and requests made beforehand: the sender must not be what is measured. */
function flood(url, requests, localAddress, ending) {
  const { hostname, port } = new URL(url);
  return Array.from({ length: floodConnections }, (_, number) => {
    let next = number;
    let answered = 0;
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), localAddress });
      const send = () => socket.write(requests[next++ % requests.length]);
      socket.on("connect", () => {
        for (let i = 0; i < depth; i++) send();
      });
      socket.on("data", (chunk) => {
        for (let at = chunk.indexOf("HTTP/1.1 "); at >= 0; at = chunk.indexOf("HTTP/1.1 ", at + 9)) {
          answered++;
          if (ending.isOver) socket.destroy();
          else send();
        }
      });
      socket.on("error", reject).on("close", () => resolve(answered));
    });
  });
}

function post(body) {
  return Buffer.from(
    `POST /partition-gossip HTTP/1.1\r\nHost: collector\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function makeNetwork() {
  const shard = makeShard({ numNodes: nodesCount, nodesPerConsensusGroup: 5, nodesPerEdge: 2 });
  const identities = Array.from({ length: nodesCount }, (_, index) => {
    const id = `${index.toString(16).padStart(8, "0")}${"0".repeat(56)}`;
    const { privateKey } = generateKeyPairSync("ed25519");
    return { id, privateKey, publicKey: ownerOf(privateKey) };
  });
  return { shard, identities };
}

function messageText(index, changes = {}) {
  const { id, privateKey } = network.identities[index];
  const hashes = [-1, ...storedPartitions(network.shard, index)].map((partition) => [
    partition,
    "ab".repeat(32),
  ]);
  const partitionHash = Object.fromEntries(hashes);
  const data = { partitionHash, receiptMapHash: {}, summaryHash: {} };
  return JSON.stringify(signed({ cycle: newestCycle, data, sender: id, ...changes }, privateKey));
}

/** One message of each node for each cycle, the next one at each call. */
function validText() {
  const number = nextValid++;
  const cycle = newestCycle - Math.floor(number / nodesCount);
  return messageText(number % nodesCount, { cycle });
}

/** In the name of a node of which there is no message yet, for a cycle that is still to come. */
function forgedText(what) {
  const index = nodesCount - 1 - Math.floor(Math.random() * 100);
  const message = JSON.parse(messageText(index, { cycle: newestCycle + 2 }));
  if (what === "owner") message.sign.owner = randomBytes(32).toString("hex");
  // The signed hash is right, and only the curve can tell that the signature is not: the dearest forgery.
  else message.sign.sig = `${randomBytes(32).toString("hex")}${message.sign.sig.slice(64)}`;
  return JSON.stringify(message);
}

function distinct(count, make) {
  return Array.from({ length: count }, (_, number) => make(undefined, number));
}

async function writeLists() {
  const nodes = network.identities.map(({ id, publicKey }) => ({ id, ip: "127.0.0.1", port: 9, publicKey }));
  const cycles = Array.from({ length: newestCycle + 1 }, (_, counter) => ({
    counter,
    start: 1_700_000_000 + 60 * counter,
    duration: 60,
    active: nodesCount,
    networkId: "bench",
  }));
  await writeFile(join(scratch, "nodes.json"), JSON.stringify(nodes));
  await writeFile(join(scratch, "cycles.json"), JSON.stringify(cycles));
}

async function startCollector() {
  const flags = ["--nodes", join(scratch, "nodes.json"), "--cycles", join(scratch, "cycles.json")];
  const sharding = ["--nodes-per-consensus-group", "5", "--nodes-per-edge", "2"];
  const args = [
    ...flags,
    ...sharding,
    "--listen",
    "127.0.0.1:0",
    "--hash-db",
    join(scratch, "hashes.sqlite"),
  ];
  // Nobody is there to be polled, so that nothing but pushes is measured.
  const child = spawn(process.execPath, [command, "collect", ...args, "--poll", "60m", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.type !== "listening") continue;
    child.stdout.resume();
    return { child, url: event.url };
  }
  throw new Error("the collector ended before it listened");
}

/** The most memory that the process ever had, in megabytes (Linux). */
function memoryOf(pid) {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kilobytes) / 1000);
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
