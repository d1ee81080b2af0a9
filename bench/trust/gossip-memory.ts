/**
 * Measures the memory of an agreement among validators that gossip as much as the bounds permit: `npm run bench:gossip
 * -- [options]`. The servers run in a process of their own, so that the printed peak is the client's alone.
 *
 *   --nodes <n>      (default: 1000)
 *   --radius <n>     the store radius (default: 4)
 *   --hostile <n>    the number of hostile validators (default: 200)
 *   --distinct       every hash of a hostile message is different
 *   --equivocate     hostile validators sign two messages
 *   --bytes <n>      the size of a hostile message (default: the most that counts)
 */

import { fork } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeValidatorSet } from "../../dist/agreement/admission/validator-set.js";
import { findAgreedHashes } from "../../dist/agreement/find-agreement.js";
import { describeUndecided } from "../../dist/agreement/undecided.js";
import { HttpGossipSource } from "../../dist/app/gossip-source.js";
import { RunLog } from "../../dist/events/run-log.js";
import { HttpClient } from "../../dist/fetch/http/http-client.js";
import { asCycle, asNodeId, asNodeIndex, type NodeId, type PublicKey } from "../../dist/protocol/brands.js";
import { canonicalText } from "../../dist/protocol/crypto/canonical-text.js";
import { DEFAULT_HASH_KEY, hashText } from "../../dist/protocol/crypto/hash.js";
import { ownerOf, signed } from "../../dist/protocol/crypto/signature.js";
import { makeShard, storedPartitions } from "../../dist/protocol/shard.js";
import { end } from "../command.ts";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "1000" },
    radius: { type: "string", default: "4" },
    hostile: { type: "string", default: "200" },
    distinct: { type: "boolean", default: false },
    equivocate: { type: "boolean", default: false },
    bytes: { type: "string" },
    serve: { type: "boolean", default: false },
  },
});
const numNodes = Number(values.nodes);
const radius = Number(values.radius);
const hostile = Number(values.hostile);
/** One validator in so many is hostile. */
const hostileEvery = Math.max(1, Math.floor(numNodes / Math.max(1, hostile)));
const shard = makeShard({
  numNodes,
  nodesPerConsensusGroup: radius === 4 ? 5 : radius + 1,
  nodesPerEdge: radius === 4 ? 2 : radius / 2,
});
const cycle = asCycle(1);
/** About the text of one hash of a message. */
const hashEntryBytes = 90;

/** What the serving process sends once it listens. */
interface Serving {
  readonly keys: readonly { readonly id: NodeId; readonly publicKey: PublicKey }[];
  readonly port: number;
  readonly bytes: number;
}

if (values.serve) await serve();
else await measure();

async function serve(): Promise<void> {
  const keys: { id: NodeId; publicKey: PublicKey }[] = [];
  const messages: string[] = [];
  for (let index = 0; index < numNodes; index++) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const id = asNodeId(index.toString(16).padStart(64, "0"));
    keys.push({ id, publicKey: ownerOf(privateKey) });
    const isHostile = hostile > 0 && index % hostileEvery === 1;
    const copies = isHostile && values.equivocate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const vote = isHostile ? hostileVote(id, copy) : honestVote(id, index);
      messages.push(JSON.stringify(signed(vote, privateKey)));
    }
  }
  const body = Buffer.from(`{"messages":[${messages.join(",")}]}`);
  const server = createServer((_, response) => response.end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const serving: Serving = { keys, port: (server.address() as AddressInfo).port, bytes: body.length };
  process.send?.(serving);
}

function honestVote(sender: string, index: number): object {
  const agreed = hashText("state");
  return voteOf(sender, [...storedPartitions(shard, asNodeIndex(index)), -1], () => agreed);
}

/** A vote with as many hashes as its bytes permit, and filled up to them. */
function hostileVote(sender: string, copy: number): object {
  const { voteBytesMax } = makeValidatorSet([], shard);
  const agreed = hashText("state");
  const partitions = Array.from({ length: numNodes + 1 }, (_, index) => (index === numNodes ? -1 : index));
  const vote = voteOf(sender, partitions.slice(0, Math.floor(voteBytesMax / hashEntryBytes)), (partition) =>
    values.distinct ? hashText(`${sender}/${partition}/${copy}`) : agreed,
  );
  const filled = { ...vote, filler: String(copy) };
  const spareBytes = Number(values.bytes ?? voteBytesMax) - canonicalText(JSON.stringify(filled)).length;
  return { ...filled, filler: filled.filler + "x".repeat(Math.max(0, spareBytes)) };
}

function voteOf(sender: string, partitions: readonly number[], hashOf: (partition: number) => string) {
  const partitionHash = Object.fromEntries(partitions.map((partition) => [partition, hashOf(partition)]));
  return { cycle, data: { partitionHash, receiptMapHash: {}, summaryHash: {} }, sender };
}

async function measure(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ["--serve", ...process.argv.slice(2)]);
  const [serving]: Serving[] = await once(child, "message");
  if (serving === undefined) throw new Error("the servers did not start");
  const nodes = serving.keys.map((keys) => ({ ...keys, url: `http://127.0.0.1:${serving.port}` }));
  const client = new HttpClient({ connectTimeoutMs: 10_000, stallTimeoutMs: 30_000 });
  const beforeBytes = process.memoryUsage().rss;
  const startedMs = performance.now();
  const outcome = await findAgreedHashes(cycle, {
    source: new HttpGossipSource(client),
    nodes,
    shard,
    shardingSource: "given",
    hashKey: DEFAULT_HASH_KEY,
    quorum: "majority",
    allowEmpty: false,
    given: [],
    log: new RunLog(undefined),
  }).then(
    (found) =>
      found.kind === "agreed" ? `${found.agreed.votes.size} votes` : describeUndecided(found).message,
    (error: Error) => error.message,
  );
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  const { user, system } = process.cpuUsage();
  const result = {
    ...values,
    responseMB: megabytes(serving.bytes),
    beforeMB: megabytes(beforeBytes),
    peakMB: megabytes(process.resourceUsage().maxRSS * 1024),
    seconds,
    cpuSeconds: Number(((user + system) / 1e6).toFixed(1)),
    outcome,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  await client.close();
  await end(child, "SIGTERM");
}
