/**
 * Validators and their archiver over a state that is prepared on disk, so that they need little CPU time:
 * `static-network.js <megabytes> canonical|unsorted <directory> <nodes> <changed>`. Prints a {@link StaticNetwork} as
 * JSON. With a share `changed` above 0 there is a second snapshot, in which that share of the accounts has changed.
 */

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  asCycle,
  type Cycle,
  type HashHex,
  type NodeIndex,
  type Partition,
} from "../../dist/protocol/brands.js";
import { hashText } from "../../dist/protocol/crypto/hash.js";
import { ownerOf, signed } from "../../dist/protocol/crypto/signature.js";
import { cycleMarker } from "../../dist/protocol/cycle-record.js";
import { queryOrder } from "../../dist/protocol/query-order.js";
import {
  allNodes,
  GLOBAL_PARTITION,
  makeShard,
  partitionOf,
  partitionRange,
  ringPartitions,
  storedPartitions,
} from "../../dist/protocol/shard.js";
import { narrowedRequests } from "../../dist/sync/queries/narrowed-requests.js";
import { planQueries } from "../../dist/sync/strategy/algorithm-1.js";
import type { StaticNetwork } from "./static-network-process.ts";
import { changedRecords, records, type StateShape, writeRecords } from "./static-state.ts";

/** A snapshot: the state at the end of a cycle. */
interface Moment {
  readonly cycle: Cycle;
  readonly timestamp: number;
  /** The names of its files are this and the partition. */
  readonly files: string;
  readonly hashes: ReadonlyMap<Partition, HashHex>;
}

const [megabytes, recordForm, directory = ".", nodeCount, changed] = process.argv.slice(2);
const numNodes = Number(nodeCount);
const shard = makeShard({ numNodes, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const start = 1_700_000_000;
const duration = 60;
const partitions = ringPartitions(shard);
const shape: StateShape = {
  form: recordForm === "unsorted" ? "unsorted" : "canonical",
  bytes: (Number(megabytes) * 1e6) / numNodes,
};
const olderMs = (start + duration) * 1000;
/** Later than any account that has not changed, and not before the time from which on a delta is requested. */
const change = { every: Math.round(1 / Number(changed)), fromMs: olderMs, spanMs: (duration / 2) * 1000 };

const moments = [await writeMoment(1, "wire", (prefix) => records(shape, prefix))];
if (Number(changed) > 0) {
  moments.push(await writeMoment(2, "newer", (prefix) => records(shape, prefix, change)));
  await writeMoment(2, "delta", (prefix) => changedRecords(shape, prefix, change));
}
const nodes = partitions.map((partition) => {
  const { privateKey } = generateKeyPairSync("ed25519");
  return { id: partitionRange(shard, partition).low, privateKey, publicKey: ownerOf(privateKey) };
});
const gossip = new Map(moments.map((moment) => [String(moment.cycle), messagesOf(moment)]));
const urls: string[] = [];
for (const index of allNodes(shard))
  urls.push(await listen((request, response) => serve(index, request, response)));
const archiver = await listen(sendLists);
const [{ timestamp: olderTimestamp }, { timestamp } = { timestamp: olderMs }] = moments as [Moment, Moment?];
const queries = planQueries(shard, queryOrder(numNodes), new Set(partitions)).flatMap(
  ({ nodeIndex, partitions: requested }) =>
    narrowedRequests({ shard, timestamp }, nodeIndex, requested).map(({ request }) => ({
      url: `${urls[nodeIndex]}/snapshot`,
      body: request,
    })),
);
const network: StaticNetwork = { archiver, queries, olderTimestamp, timestamp, numNodes };
process.stdout.write(`${JSON.stringify(network)}\n`);
process.stdin.resume().on("end", () => process.exit());

async function writeMoment(
  number: number,
  files: string,
  recordsOf: (prefix: string) => ReturnType<typeof records>,
): Promise<Moment> {
  const hashes = new Map([[GLOBAL_PARTITION, hashText("[]")]]);
  for (const partition of partitions) {
    const prefix = partitionRange(shard, partition).low.slice(0, 8);
    const path = join(directory, `${files}-${partition}`);
    hashes.set(partition, await writeRecords(path, recordsOf(prefix)));
  }
  return { cycle: asCycle(number), timestamp: (start + number * duration) * 1000, files, hashes };
}

function messagesOf({ cycle, hashes }: Moment): object[] {
  return allNodes(shard).map((index) => {
    const { id, privateKey } = nodes[index] as (typeof nodes)[number];
    const stored = [GLOBAL_PARTITION, ...storedPartitions(shard, index)];
    const entries = stored.map((partition) => [partition, hashes.get(partition)]);
    const data = { partitionHash: Object.fromEntries(entries), receiptMapHash: {}, summaryHash: {} };
    return signed({ cycle, data, sender: id }, privateKey);
  });
}

async function serve(index: NodeIndex, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "", "http://node");
  if (url.pathname === "/netconfig") {
    return json(response, { config: { sharding: { nodesPerConsensusGroup: 3, nodesPerEdge: 1 } } });
  }
  if (url.pathname === "/partition-gossip") {
    return json(response, { messages: gossip.get(url.searchParams.get("cycle") ?? "") ?? [] });
  }
  let body = "";
  for await (const chunk of request) body += chunk;
  const { timestamp: requested, accountStart, accountEnd, isGlobal, changedSince } = JSON.parse(body);
  const moment = moments.find((other) => other.timestamp === requested);
  if (moment === undefined) return void response.writeHead(404).end();
  const isDelta = moment.cycle === 2 && changedSince !== undefined && changedSince > olderMs - change.spanMs;
  const files = isDelta ? "delta" : moment.files;
  response.setMaxListeners(0); // a pipeline for each partition
  response.write('{"snapshot":[');
  if (isGlobal !== true) {
    let isFirst = true;
    for (const partition of storedPartitions(shard, index)) {
      const isInRange =
        accountStart === undefined ||
        (partition >= partitionOf(shard, accountStart) && partition <= partitionOf(shard, accountEnd));
      if (!isInRange) continue;
      if (!isFirst) response.write(",");
      isFirst = false;
      const wire = createReadStream(join(directory, `${files}-${partition}`), { highWaterMark: 1 << 18 });
      await pipeline(wire, response, { end: false }).catch(() => response.destroy());
    }
  }
  response.end("]}");
}

function sendLists(request: IncomingMessage, response: ServerResponse): void {
  if (request.url?.startsWith("/full-nodelist")) {
    const nodeList = nodes.map(({ id, publicKey }, index) => {
      const { hostname: ip, port } = new URL(urls[index] ?? "");
      return { id, ip, port: Number(port), publicKey };
    });
    json(response, { nodeList });
    return;
  }
  let previous = "0".repeat(64);
  const cycleInfo = moments.map(({ cycle: counter }) => {
    const record = {
      counter,
      start: start + (counter - 1) * duration,
      duration,
      active: numNodes,
      previous,
      networkDataHash: [],
    };
    previous = cycleMarker(record);
    return { ...record, marker: previous };
  });
  json(response, { cycleInfo });
}

function json(response: ServerResponse, value: object): void {
  response.setHeader("content-type", "application/json").end(JSON.stringify(value));
}

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server = createServer(handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
