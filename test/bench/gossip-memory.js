/**
 * How much memory it takes to agree, where validators gossip as much as they can: `node test/bench/gossip-memory.js
 * [--radius <n>] [--hostile <n>] [--nodes <n>] [--distinct] [--equivocate] [--bytes <n>]`. The servers run in a process of their own, so that the
 * peak that is printed is the client's alone.
 */

import { fork } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeValidatorSet } from "../../dist/agreement/admission/validator-set.js";
import { findAgreedHashes } from "../../dist/agreement/find-agreement.js";
import { HttpGossipSource } from "../../dist/app/gossip-source.js";
import { RunLog } from "../../dist/events/run-log.js";
import { HttpClient } from "../../dist/fetch/http/http-client.js";
import { canonicalText } from "../../dist/protocol/crypto/canonical-text.js";
import { DEFAULT_HASH_KEY, hashText } from "../../dist/protocol/crypto/hash.js";
import { ownerOf, signed } from "../../dist/protocol/crypto/signature.js";
import { makeShard, storedPartitions } from "../../dist/protocol/shard.js";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "1000" },
    radius: { type: "string", default: "4" },
    hostile: { type: "string", default: "200" },
    /** Every hash of a hostile message is another one. */
    distinct: { type: "boolean", default: false },
    /** Hostile validators sign two messages. */
    equivocate: { type: "boolean", default: false },
    /** Of a hostile message, in place of as many as count. */
    bytes: { type: "string" },
    serve: { type: "boolean", default: false },
  },
});
const numNodes = Number(values.nodes);
const radius = Number(values.radius);
const hostile = Number(values.hostile);
const shard = makeShard({
  numNodes,
  nodesPerConsensusGroup: radius === 4 ? 5 : radius + 1,
  nodesPerEdge: radius === 4 ? 2 : radius / 2,
});
const cycle = 1;

if (values.serve) await serve();
else await measure();

async function serve() {
  const rows = [];
  const messages = [];
  const { voteBytesMax } = makeValidatorSet([], shard);
  const agreed = hashText("state");
  for (let index = 0; index < numNodes; index++) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const id = index.toString(16).padStart(64, "0");
    rows.push({ id, publicKey: ownerOf(privateKey) });
    const isHostile = index % Math.max(1, Math.floor(numNodes / Math.max(1, hostile))) === 1 && hostile > 0;
    const maps = isHostile && values.equivocate ? 2 : 1;
    for (let copy = 0; copy < maps; copy++) {
      const partitions = isHostile
        ? Array.from({ length: numNodes }, (_, key) => key)
        : storedPartitions(shard, index);
      const hash = (key) => (isHostile && values.distinct ? hashText(`${id}/${key}/${copy}`) : agreed);
      const partitionHash = Object.fromEntries(
        [...partitions, -1]
          .slice(0, isHostile ? Math.floor(voteBytesMax / 90) : undefined)
          .map((key) => [key, hash(key)]),
      );
      const data = { partitionHash, receiptMapHash: {}, summaryHash: {} };
      const unsigned = { cycle, data, sender: id, filler: isHostile ? String(copy) : "" };
      const room = Number(values.bytes ?? voteBytesMax) - canonicalText(JSON.stringify(unsigned)).length;
      if (isHostile) unsigned.filler += "x".repeat(Math.max(0, room));
      messages.push(JSON.stringify(signed(unsigned, privateKey)));
    }
  }
  const body = Buffer.from(`{"messages":[${messages.join(",")}]}`);
  const server = createServer((_, response) => response.end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.send({ rows, port: server.address().port, bytes: body.length });
}

async function measure() {
  const child = fork(fileURLToPath(import.meta.url), ["--serve", ...process.argv.slice(2)]);
  const [{ rows, port, bytes }] = await once(child, "message");
  const nodes = rows.map((row) => ({ ...row, url: `http://127.0.0.1:${port}` }));
  const client = new HttpClient({ connectTimeoutMs: 10_000, stallTimeoutMs: 30_000 });
  const log = new RunLog(undefined);
  const before = process.memoryUsage().rss;
  const startedMs = performance.now();
  const context = {
    source: new HttpGossipSource(client),
    nodes,
    shard,
    hashKey: DEFAULT_HASH_KEY,
    quorum: "majority",
    allowEmpty: false,
    given: [],
    log,
  };
  let outcome;
  try {
    const agreed = await findAgreedHashes(cycle, context);
    outcome = "notYet" in agreed ? agreed.notYet.message : `${agreed.votes.size} votes`;
  } catch (error) {
    outcome = error.message;
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const mb = (bytesOf) => Math.round(bytesOf / 1e6);
  const { user, system } = process.cpuUsage();
  const cpuSeconds = Number(((user + system) / 1e6).toFixed(1));
  const peak = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(
    `${JSON.stringify({ ...values, responseMB: mb(bytes), beforeMB: mb(before), peakMB: mb(peak), seconds, cpuSeconds, outcome })}\n`,
  );
  await client.close();
  child.kill();
}
