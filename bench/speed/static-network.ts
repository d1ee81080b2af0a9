/**
 * Validators and their archiver over a state that is prepared on disk, so that they need little CPU time:
 * `static-network.js <megabytes> canonical|unsorted <directory> <nodes>`. Prints a {@link StaticNetwork} as JSON.
 */

import { createHash, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { accountCopyText } from "../../dist/protocol/account-copy.js";
import { asNodeIndex, type HashHex, type NodeIndex, type Partition } from "../../dist/protocol/brands.js";
import { hashText, RunningHash } from "../../dist/protocol/crypto/hash.js";
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

const [megabytes, form, directory = ".", nodeCount] = process.argv.slice(2);
const numNodes = Number(nodeCount);
const shard = makeShard({ numNodes, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const start = 1_700_000_000;
const duration = 60;
const timestamp = (start + duration) * 1000;
const partitions = ringPartitions(shard);

const hashes = new Map([[GLOBAL_PARTITION, hashText("[]")]]);
for (const partition of partitions) hashes.set(partition, await writePartition(partition));
const nodes = partitions.map((partition) => {
  const { privateKey } = generateKeyPairSync("ed25519");
  return { id: partitionRange(shard, partition).low, privateKey, publicKey: ownerOf(privateKey) };
});
const messages = nodes.map(({ id, privateKey }, index) => {
  const stored = [GLOBAL_PARTITION, ...storedPartitions(shard, asNodeIndex(index))];
  const entries = stored.map((partition) => [partition, hashes.get(partition)]);
  const data = { partitionHash: Object.fromEntries(entries), receiptMapHash: {}, summaryHash: {} };
  return signed({ cycle: 1, data, sender: id }, privateKey);
});
const urls: string[] = [];
for (const index of allNodes(shard))
  urls.push(await listen((request, response) => serve(index, request, response)));
const archiver = await listen(sendLists);
const queries = planQueries(shard, queryOrder(numNodes), new Set(partitions)).flatMap(
  ({ nodeIndex, partitions: requested }) =>
    narrowedRequests({ shard, timestamp }, nodeIndex, requested).map(({ request }) => ({
      url: `${urls[nodeIndex]}/snapshot`,
      body: request,
    })),
);
const network: StaticNetwork = { archiver, queries, timestamp, numNodes };
process.stdout.write(`${JSON.stringify(network)}\n`);
process.stdin.resume().on("end", () => process.exit());

/** Writes the records of a partition in wire form. Returns the partition's hash. */
async function writePartition(partition: Partition): Promise<HashHex> {
  const file = createWriteStream(join(directory, `wire-${partition}`));
  const hash = new RunningHash();
  const low = partitionRange(shard, partition).low.slice(0, 8);
  const bytesMax = (Number(megabytes) * 1e6) / numNodes;
  let bytes = 0;
  for (let i = 0; bytes < bytesMax; i++) {
    const record = makeRecord(low, i);
    const copy = accountCopyText(record);
    hash.update(Buffer.from(`${i === 0 ? "[" : ","}${copy}`));
    bytes += copy.length;
    if (!file.write(`${i === 0 ? "" : ","}${JSON.stringify(record)}`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
  return hash.update(Buffer.from("]")).digest();
}

function makeRecord(prefix: string, i: number) {
  const accountId = prefix + i.toString(16).padStart(56, "0");
  const account = {
    balance: { dataType: "bi", value: (i * 7919 + 1).toString(16) },
    codeHash: { value: createHash("sha256").update(accountId).digest("base64"), dataType: "u8ab" },
    nonce: { dataType: "bi", value: "2a" },
    storageRoot: { value: createHash("sha256").update(`${i}`).digest("base64"), dataType: "u8ab" },
  };
  const sorted = {
    account,
    accountType: 0,
    ethAddress: `0x${accountId.slice(24)}`,
    hash: accountId,
    timestamp: i,
  };
  const { timestamp: _timestamp, ...others } = sorted;
  const data = form === "canonical" ? sorted : { timestamp: i, ...others };
  return { accountId, stateId: accountId, data, timestamp: 1_700_000_000_000 + i };
}

async function serve(index: NodeIndex, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === "/netconfig") {
    return json(response, { config: { sharding: { nodesPerConsensusGroup: 3, nodesPerEdge: 1 } } });
  }
  if (request.url?.startsWith("/partition-gossip")) return json(response, { messages });
  let body = "";
  for await (const chunk of request) body += chunk;
  const { accountStart, accountEnd, isGlobal } = JSON.parse(body);
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
      const wire = createReadStream(join(directory, `wire-${partition}`), { highWaterMark: 1 << 18 });
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
  const record = {
    counter: 1,
    start,
    duration,
    active: numNodes,
    previous: "0".repeat(64),
    networkDataHash: [],
  };
  json(response, { cycleInfo: [{ ...record, marker: cycleMarker(record) }] });
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
