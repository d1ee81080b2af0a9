/**
 * Measures the stages of an assembly: `npm run bench:stages -- [megabytes]`. Each stage runs alone on the same bytes;
 * then all of them run together without a network. Figures are medians of five.
 */

import { execFile } from "node:child_process";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createGunzip, gzipSync } from "node:zlib";
import { receiveResponse } from "../../dist/artifact/receive-response.js";
import type { ResponseReceiver } from "../../dist/artifact/response-report.js";
import { RecordFramer } from "../../dist/canonical/record-framer.js";
import { ResponseReader } from "../../dist/canonical/response-reader.js";
import { slowPathCopy } from "../../dist/canonical/slow-path.js";
import { HttpClient } from "../../dist/fetch/http/http-client.js";
import { asHashHex, type HashHex, type Partition } from "../../dist/protocol/brands.js";
import { DEFAULT_HASH_KEY, RunningHash } from "../../dist/protocol/crypto/hash.js";
import { makeShard } from "../../dist/protocol/shard.js";
import { commandPath } from "../command.ts";
import { machine, print, timeMs } from "../measure.ts";
import { type RecordForm, type SnapshotQuery, startStaticNetwork } from "./static-network-process.ts";

const rounds = 5;
const nodes = 9;
const megabytes = Number(process.argv[2] ?? 100);
const chunkBytes = 128 * 1024;
const shard = makeShard({ numNodes: nodes, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const scratch = await mkdtemp(join(tmpdir(), "bench-stages-"));
const place = {
  shard,
  hashKey: DEFAULT_HASH_KEY,
  pathOf: (partition: number) => join(scratch, `merged-${partition}`),
  complete: () => Promise.reject(new Error("no partition has a base")),
};
const rows: { readonly name: string; readonly ms: number; readonly bytes: number }[] = [];

print(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; ${megabytes} MB`);
try {
  await measureStages("canonical");
  await measureStages("unsorted");
} finally {
  await rm(scratch, { recursive: true, force: true });
}
print(JSON.stringify({ machine, megabytes, rows }));

async function measureStages(form: RecordForm): Promise<void> {
  const { network, stop } = await startStaticNetwork({ megabytes, form, nodes, directory: scratch });
  const client = new HttpClient({ connectTimeoutMs: 5_000, stallTimeoutMs: 30_000 });
  try {
    const parts = await wireParts();
    if (form === "canonical") {
      await stage("process start, imports", 0, () =>
        promisify(execFile)(process.execPath, [commandPath, "--version"]),
      );
      await stage("socket, and the validators", sizeOf(parts), () => receive(client, network.queries));
    }
    await measureInMemory(form, parts);
  } finally {
    await client.close();
    await stop();
  }
}

async function measureInMemory(form: RecordForm, parts: readonly Buffer[]): Promise<void> {
  const bytes = sizeOf(parts);
  if (form === "canonical") {
    const first = Buffer.concat(parts.slice(0, 1));
    const packed = gzipSync(first, { level: 6 });
    await stage("gunzip", first.length, () => gunzip(packed));
    await stage("framing, the slow path", bytes, () => frame(parts, () => undefined));
  }
  await stage(`framing and copies, the slow path, ${form}`, bytes, () =>
    frame(parts, (record) => slowPathCopy(record, shard)),
  );
  await stage(`framing and copies, ${form}`, bytes, () => copy(parts));
  if (form === "canonical") {
    await stage("hash", bytes, () => hash(parts));
    await stage("disk: write", bytes, () => write(parts, false));
    await stage("disk: write and sync", bytes, () => write(parts, true));
  }
  await measureMerge(form, parts);
}

async function measureMerge(form: RecordForm, parts: readonly Buffer[]): Promise<void> {
  const mismatching = receiverOf(() => asHashHex("0".repeat(64)), new Set());
  const { mismatched } = await receiveResponse(responseOf(parts), mismatching, place);
  const agreed = new Map(mismatched.map(({ partition, got }) => [partition, got]));
  await stage(`merge: copies, hash and write, ${form}`, sizeOf(parts), async () => {
    const taken = new Set<Partition>();
    const receiver = receiverOf(
      (partition) => (taken.has(partition) ? undefined : agreed.get(partition)),
      taken,
    );
    await receiveResponse(responseOf(parts), receiver, place);
    if (taken.size !== agreed.size) {
      throw new Error(`only ${taken.size} of ${agreed.size} partitions match their hashes`);
    }
    for (const partition of taken) await rm(place.pathOf(partition));
  });
}

/** Reads the partitions in wire form. */
function wireParts(): Promise<Buffer[]> {
  return Promise.all(
    Array.from({ length: nodes }, (_, partition) => readFile(join(scratch, `wire-${partition}`))),
  );
}

function sizeOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** Yields the chunks of a response that holds all partitions. */
function* chunksOf(parts: readonly Buffer[]): Generator<Buffer> {
  yield Buffer.from('{"snapshot":[');
  for (const [index, part] of parts.entries()) {
    if (index > 0) yield Buffer.from(",");
    for (let at = 0; at < part.length; at += chunkBytes) yield part.subarray(at, at + chunkBytes);
  }
  yield Buffer.from("]}");
}

async function* responseOf(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunksOf(parts)) yield await Promise.resolve(chunk);
}

async function receive(client: HttpClient, queries: readonly SnapshotQuery[]): Promise<void> {
  for (const { url, body } of queries) for await (const _ of client.streamInPlace({ url, body }));
}

async function gunzip(packed: Buffer): Promise<void> {
  const stream = createGunzip();
  stream.end(packed);
  for await (const _ of stream);
}

function frame(parts: readonly Buffer[], use: (record: Buffer) => unknown): void {
  const framer = new RecordFramer("snapshot");
  for (const chunk of chunksOf(parts)) for (const record of framer.push(chunk)) use(record);
  framer.end();
}

function copy(parts: readonly Buffer[]): void {
  const reader = new ResponseReader(shard);
  for (const chunk of chunksOf(parts)) for (const _ of reader.read(chunk));
  for (const _ of reader.rest());
  reader.end();
  reader.close();
}

function hash(parts: readonly Buffer[]): void {
  const running = new RunningHash();
  for (const part of parts) running.update(part);
  running.digest();
}

async function write(parts: readonly Buffer[], isSynced: boolean): Promise<void> {
  for (const [index, part] of parts.entries()) {
    const handle = await open(join(scratch, `written-${index}`), "w");
    for (let at = 0; at < part.length; at += 2 * chunkBytes) {
      await handle.write(part.subarray(at, at + 2 * chunkBytes));
    }
    if (isSynced) await handle.sync();
    await handle.close();
  }
}

/** @param taken receives the committed partitions */
function receiverOf(
  expected: (partition: Partition) => HashHex | undefined,
  taken: Set<Partition>,
): ResponseReceiver {
  return {
    requested: new Set(),
    isDelta: false,
    base: () => undefined,
    stores: () => true,
    expected,
    begin: () => undefined,
    mayHold: () => Promise.resolve(true),
    commit: ({ partition }) => Promise.resolve(void taken.add(partition)),
  };
}

/** @param bytes the size of its input; 0 where the time does not depend on it */
async function stage(name: string, bytes: number, action: () => unknown): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await timeMs(action));
  times.sort((a, b) => a - b);
  const ms = times[Math.floor(rounds / 2)] ?? Number.NaN;
  const rate =
    bytes === 0 ? "" : `${(bytes / ms / 1e6).toFixed(2)} GB/s, ${((ms * 1e6) / bytes).toFixed(2)} ns a byte`;
  rows.push({ name, ms, bytes });
  const all = times.map((one) => one.toFixed(0)).join(", ");
  print(`${name.padEnd(50)} ${ms.toFixed(0).padStart(6)} ms (${all})  ${rate}`);
}
