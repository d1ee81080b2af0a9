/**
 * Where the time of the main job goes: `npm run bench:stages [megabytes]`. Each stage alone, on the same bytes,
 * and all of them together without a network; medians of five.
 */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createGunzip, gzipSync } from "node:zlib";
import { receiveResponse } from "../../dist/artifact/receive-response.js";
import { RecordFramer } from "../../dist/canonical/record-framer.js";
import { ResponseReader } from "../../dist/canonical/response-reader.js";
import { slowPathCopy } from "../../dist/canonical/slow-path.js";
import { HttpClient } from "../../dist/fetch/http/http-client.js";
import { DEFAULT_HASH_KEY, RunningHash } from "../../dist/protocol/crypto/hash.js";
import { makeShard } from "../../dist/protocol/shard.js";
import { machine, say, time } from "./measure.js";

const rounds = 5;
const megabytes = Number(process.argv[2] ?? 100);
const chunkBytes = 128 * 1024;
const shard = makeShard({ numNodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const server = fileURLToPath(new URL("./speed-server.js", import.meta.url));
const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), "bench-stages-"));
const place = {
  shard,
  hashKey: DEFAULT_HASH_KEY,
  pathOf: (partition) => join(scratch, `merged-${partition}`),
};
const rows = [];

say(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; ${megabytes} MB`);
try {
  for (const form of ["canonical", "unsorted"]) await stagesOf(form);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
say(JSON.stringify({ machine, megabytes, rows }));

async function stagesOf(form) {
  const child = spawn(process.execPath, [server, String(megabytes), form, scratch, "9"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const client = new HttpClient({ connectTimeoutMs: 5_000, stallTimeoutMs: 30_000 });
  try {
    const [line] = await once(child.stdout, "data");
    const { answers } = JSON.parse(line.toString());
    if (form === "canonical") {
      await stage("process start, imports", 0, () =>
        promisify(execFile)(process.execPath, [command, "--version"]),
      );
      await stage("socket, and the validators", wireBytes(await wire()), () => receive(client, answers));
    }
    await inMemory(form, await wire());
  } finally {
    await client.close();
    child.kill();
  }
}

async function inMemory(form, parts) {
  const bytes = wireBytes(parts);
  const chunks = () => answerOf(parts);
  if (form === "canonical") {
    const packed = gzipSync(Buffer.concat(parts.slice(0, 1)), { level: 6 });
    await stage("gunzip", parts[0].length, () => gunzip(packed));
    await stage("framing, the slow path", bytes, () => frame(chunks(), () => undefined));
  }
  await stage(`framing and copies, the slow path, ${form}`, bytes, () =>
    frame(chunks(), (record) => slowPathCopy(record, shard)),
  );
  await stage(`framing and copies, ${form}`, bytes, () => read(chunks()));
  if (form === "canonical") {
    await stage("hash", bytes, () => hash(parts));
    await stage("disk: write", bytes, () => write(parts, false));
    await stage("disk: write and sync", bytes, () => write(parts, true));
  }
  const agreed = new Map();
  const { mismatched } = await receiveResponse(
    chunks(),
    receiverOf(() => "0".repeat(64)),
    place,
  );
  for (const { partition, got } of mismatched) agreed.set(partition, got);
  await stage(`merge: copies, hash and write, ${form}`, bytes, async () => {
    const taken = new Set();
    const receiver = receiverOf(
      (partition) => (taken.has(partition) ? undefined : agreed.get(partition)),
      taken,
    );
    await receiveResponse(chunks(), receiver, place);
    if (taken.size !== agreed.size)
      throw new Error(`${taken.size} of ${agreed.size} partitions have their hash`);
    for (const partition of taken) await rm(place.pathOf(partition));
  });
}

function wire() {
  return Promise.all(
    Array.from({ length: 9 }, (_, partition) => readFile(join(scratch, `wire-${partition}`))),
  );
}

function wireBytes(parts) {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function* answerOf(parts) {
  yield Buffer.from('{"snapshot":[');
  for (const [index, part] of parts.entries()) {
    if (index > 0) yield Buffer.from(",");
    for (let at = 0; at < part.length; at += chunkBytes) yield part.subarray(at, at + chunkBytes);
  }
  yield Buffer.from("]}");
}

async function receive(client, answers) {
  for (const { url, body } of answers) for await (const _ of client.streamInPlace({ url, body }));
}

async function gunzip(packed) {
  const stream = createGunzip();
  stream.end(packed);
  for await (const _ of stream);
}

async function frame(chunks, use) {
  const framer = new RecordFramer("snapshot");
  for await (const chunk of chunks) for (const record of framer.push(chunk)) use(record);
  framer.end();
}

async function read(chunks) {
  const reader = new ResponseReader(shard);
  for await (const chunk of chunks) for (const _ of reader.read(chunk));
  for (const _ of reader.rest());
  reader.end();
  reader.close();
}

function hash(parts) {
  const running = new RunningHash();
  for (const part of parts) running.update(part);
  running.digest();
}

async function write(parts, isSynced) {
  for (const [index, part] of parts.entries()) {
    const handle = await open(join(scratch, `written-${index}`), "w");
    for (let at = 0; at < part.length; at += 2 * chunkBytes)
      await handle.write(part.subarray(at, at + 2 * chunkBytes));
    if (isSynced) await handle.sync();
    await handle.close();
  }
}

function receiverOf(expected, taken = new Set()) {
  return {
    requested: new Set(),
    stores: () => true,
    expected,
    begin: () => undefined,
    mayHold: () => Promise.resolve(true),
    commit: ({ partition }) => Promise.resolve(void taken.add(partition)),
  };
}

/** @param bytes that it goes through, or 0 where that is not what it costs */
async function stage(name, bytes, action) {
  const times = [];
  for (let round = 0; round < rounds; round++) times.push(await time(action));
  times.sort((a, b) => a - b);
  const ms = times[Math.floor(rounds / 2)];
  const rate =
    bytes === 0 ? "" : `${(bytes / ms / 1e6).toFixed(2)} GB/s, ${((ms * 1e6) / bytes).toFixed(2)} ns a byte`;
  rows.push({ name, ms, bytes });
  say(
    `${name.padEnd(50)} ${ms.toFixed(0).padStart(6)} ms (${times.map((one) => one.toFixed(0)).join(", ")})  ${rate}`,
  );
}
