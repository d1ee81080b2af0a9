/**
 * Validators and their archiver over a state that lies ready on disk, so that they cost as little as can
 * be: `speed-server.js <megabytes> canonical|unsorted <directory> <nodes>`. Prints where they are, as one line of JSON.
 */

import { createHash, generateKeyPairSync } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { accountCopyText } from "../../dist/protocol/account-copy.js";
import { hashText, RunningHash } from "../../dist/protocol/crypto/hash.js";
import { ownerOf, signed } from "../../dist/protocol/crypto/signature.js";
import { cycleMarker } from "../../dist/protocol/cycle-record.js";
import { queryOrder } from "../../dist/protocol/query-order.js";
import { makeShard, partitionOf, partitionRange, storedPartitions } from "../../dist/protocol/shard.js";
import { narrowedRequests } from "../../dist/sync/narrowed-requests.js";
import { planQueries } from "../../dist/sync/strategy/algorithm-1.js";

const [megabytes, form, directory, nodeCount] = process.argv.slice(2);
const numNodes = Number(nodeCount);
const shard = makeShard({ numNodes, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const start = 1700000000;
const duration = 60;
const timestamp = (start + duration) * 1000;

const hashes = { "-1": hashText("[]") };
for (let partition = 0; partition < numNodes; partition++)
  hashes[partition] = await writePartition(partition);
const nodes = Array.from({ length: numNodes }, (_, index) => {
  const { privateKey } = generateKeyPairSync("ed25519");
  return { id: partitionRange(shard, index).low, privateKey, publicKey: ownerOf(privateKey) };
});
const messages = nodes.map(({ id, privateKey }, index) => {
  const entries = [-1, ...storedPartitions(shard, index)].map((partition) => [partition, hashes[partition]]);
  const data = { partitionHash: Object.fromEntries(entries), receiptMapHash: {}, summaryHash: {} };
  return signed({ cycle: 1, data, sender: id }, privateKey);
});
const urls = [];
for (const [index] of nodes.entries())
  urls.push(await listen((request, response) => validator(index, request, response)));
const archiver = await listen(answerLists);
const requests = planQueries(
  shard,
  queryOrder(numNodes),
  new Set(Array.from({ length: numNodes }, (_, p) => p)),
);
const answers = requests.flatMap(({ nodeIndex, partitions }) =>
  narrowedRequests(shard, nodeIndex, partitions, timestamp).map(({ request }) => ({
    url: `${urls[nodeIndex]}/snapshot`,
    body: request,
  })),
);
process.stdout.write(`${JSON.stringify({ archiver, answers, timestamp, numNodes })}\n`);
process.stdin.resume().on("end", () => process.exit());

/** Writes a partition's records as they go over the wire; answers its hash. */
async function writePartition(partition) {
  const file = createWriteStream(join(directory, `wire-${partition}`));
  const hash = new RunningHash();
  const low = partitionRange(shard, partition).low.slice(0, 8);
  const bytesMax = (Number(megabytes) * 1e6) / numNodes;
  let bytes = 0;
  for (let i = 0; bytes < bytesMax; i++) {
    const accountId = low + i.toString(16).padStart(56, "0");
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
    const data = form === "canonical" ? sorted : { timestamp: i, ...sorted, account };
    const record = { accountId, stateId: accountId, data, timestamp: 1700000000000 + i };
    const copy = accountCopyText(record);
    hash.update(Buffer.from(`${i === 0 ? "[" : ","}${copy}`));
    bytes += copy.length;
    if (!file.write(`${i === 0 ? "" : ","}${JSON.stringify(record)}`))
      await new Promise((go) => file.once("drain", go));
  }
  await new Promise((done) => file.end(done));
  return hash.update(Buffer.from("]")).digest();
}

async function validator(index, request, response) {
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
      const inRange =
        accountStart === undefined ||
        (partition >= partitionOf(shard, accountStart) && partition <= partitionOf(shard, accountEnd));
      if (!inRange) continue;
      if (!isFirst) response.write(",");
      isFirst = false;
      const wire = createReadStream(join(directory, `wire-${partition}`), { highWaterMark: 1 << 18 });
      await pipeline(wire, response, { end: false }).catch(() => response.destroy());
    }
  }
  response.end("]}");
}

function answerLists(request, response) {
  if (request.url?.startsWith("/full-nodelist")) {
    const nodeList = nodes.map(({ id, publicKey }, index) => {
      const { hostname: ip, port } = new URL(urls[index]);
      return { id, ip, port: Number(port), publicKey };
    });
    return json(response, { nodeList });
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

function json(response, value) {
  response.setHeader("content-type", "application/json").end(JSON.stringify(value));
}

async function listen(handler) {
  const server = createServer(handler);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${server.address().port}`;
}
