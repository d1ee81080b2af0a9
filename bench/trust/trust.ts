/**
 * Measures the checks of trust: `npm run bench:trust -- [megabytes]`.
 *
 * - verification of a snapshot against hashing its artifacts alone, with the same hash function and block size
 * - the tally of 1,000 nodes with a store radius of 128, with all signatures checked, on one core
 *
 * Figures are medians of five in one process. Prints a table, and JSON on the last line.
 */

import { generateKeyPairSync } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { VoteCollection } from "../../dist/agreement/vote-collection.js";
import { verifySnapshot } from "../../dist/app/verify.js";
import type { Evidence } from "../../dist/format/evidence/evidence.js";
import type { RunRecord } from "../../dist/format/run-record.js";
import { accountCopyText } from "../../dist/protocol/account-copy.js";
import {
  asCycle,
  asNodeId,
  asNodeIndex,
  asPartition,
  type HashHex,
  type Partition,
} from "../../dist/protocol/brands.js";
import { hashText, RunningHash } from "../../dist/protocol/crypto/hash.js";
import { ownerOf, signed } from "../../dist/protocol/crypto/signature.js";
import type { ActiveNode } from "../../dist/protocol/node.js";
import { networkHash } from "../../dist/protocol/partition-hash.js";
import { allPartitions, makeShard, partitionRange, storedPartitions } from "../../dist/protocol/shard.js";
import { PartialSnapshot } from "../../dist/store/partial-snapshot.js";
import { machine, median, print, timeMs } from "../measure.ts";

const rounds = 5;
const stateBytes = Number(process.argv[2] ?? 400) * 1e6;
const hashKey = "69fa4195670576c0160d660c3be36556ff8d504725be8a59b5a96509e0c994bc";

/** Counting rules without votes. */
const evidence: Evidence = {
  nodeList: Buffer.from("[]"),
  cycles: Buffer.from("[]"),
  counting: {
    sharding: { nodesPerConsensusGroup: 3, nodesPerEdge: 1, source: "given" },
    quorum: { rule: "majority", source: "given" },
  },
  gossip: [],
};
const runRecord: RunRecord = {
  startedAt: "2023-11-14T22:24:00.000Z",
  finishedAt: "2023-11-14T22:24:01.000Z",
  durationMs: 1000,
  bytes: { received: 0, seeded: 0, sources: [] },
  versions: {},
  settings: { quorum: "majority", order: "bisect", concurrency: 1 },
  partitions: [],
  queries: [],
  offences: [],
  warnings: [],
};

const scratch = await mkdtemp(join(tmpdir(), "bench-trust-"));
try {
  const verify = await benchVerify();
  const tally = await benchTally();
  print(`hashing alone        ${verify.hashMs} ms for ${verify.megabytes} MB`);
  print(
    `verify               ${verify.verifyMs} ms, ${Math.round(verify.share * 100)} % of the speed of hashing`,
  );
  print(
    `tally, 1,000 nodes   ${tally.medianMs} ms for ${tally.messages} messages of ${tally.hashesEach} hashes`,
  );
  print(JSON.stringify({ machine, verify, tally }));
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function benchVerify() {
  const { directory, files } = await makeSnapshot();
  const hashTimes: number[] = [];
  const verifyTimes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    hashTimes.push(await timeMs(() => hashFiles(files)));
    verifyTimes.push(await timeMs(() => verifyArtifacts(directory)));
  }
  const [hashMs, verifyMs] = [median(hashTimes), median(verifyTimes)];
  return { megabytes: Math.round(stateBytes / 1e6), hashMs, verifyMs, share: hashMs / verifyMs };
}

/** Verifies the snapshot, of which the artifacts are real and the votes are not. */
async function verifyArtifacts(directory: string): Promise<void> {
  const { findings } = await verifySnapshot(directory);
  const wrong = findings.filter(({ kind }) => kind.startsWith("artifact") || kind === "totals");
  if (wrong.length > 0) throw new Error(`the snapshot does not verify: ${JSON.stringify(wrong)}`);
}

async function hashFiles(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const hash = new RunningHash(hashKey);
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) hash.update(chunk);
    hash.digest();
  }
}

/** Publishes a snapshot of nine partitions of plain accounts. */
async function makeSnapshot() {
  const shard = makeShard({ numNodes: 9 });
  const partial = await PartialSnapshot.open({
    out: scratch,
    timestamp: 1,
    compression: "none",
    numPartitions: 1,
  });
  const partitionHashes = new Map<Partition, HashHex>();
  let accounts = 0;
  let bytes = 0;
  for (const partition of allPartitions(shard)) {
    const copies = partition < 0 ? [] : makeCopies(partitionRange(shard, partition).low, stateBytes / 9);
    accounts += copies.length;
    const text = `[${copies.join(",")}]`;
    bytes += text.length;
    partitionHashes.set(partition, hashText(text, hashKey));
    const path = partial.incomingPath(0, partition);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await partial.accept(partition, path);
  }
  const data = {
    timestamp: 1,
    cycle: asCycle(1),
    hashKey,
    networkHash: networkHash(partitionHashes),
    partitionHashes,
  };
  const manifest = await partial.complete(data, { accounts, bytes }, evidence, runRecord);
  const directory = await partial.putInPlace();
  return { directory, files: manifest.artifacts.map(([, file]) => join(directory, file)) };
}

function makeCopies(low: string, bytes: number): string[] {
  const copies: string[] = [];
  let size = 0;
  for (let i = 0; size < bytes; i++) {
    const accountId = low.slice(0, 8) + i.toString(16).padStart(56, "0");
    const data = { balance: { dataType: "bi", value: "de0b6b3a7640000" }, nonce: i, code: "ab".repeat(150) };
    const copy = accountCopyText({ accountId, stateId: accountId, data, timestamp: 1_700_000_000_000 + i });
    copies.push(copy);
    size += copy.length;
  }
  return copies;
}

function makeVoters(numNodes: number, partitionsOf: (index: number) => readonly number[]) {
  const hash = hashText("state");
  const nodes: ActiveNode[] = [];
  const messages: string[] = [];
  for (let index = 0; index < numNodes; index++) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const id = asNodeId(index.toString(16).padStart(64, "0"));
    const partitionHash = Object.fromEntries([...partitionsOf(index), -1].map((key) => [key, hash]));
    const data = { partitionHash, receiptMapHash: {}, summaryHash: {} };
    nodes.push({ id, url: "http://127.0.0.1", publicKey: ownerOf(privateKey) });
    messages.push(JSON.stringify(signed({ cycle: 1, data, sender: id }, privateKey)));
  }
  return { nodes, messages };
}

async function benchTally() {
  const shard = makeShard({ numNodes: 1000, nodesPerConsensusGroup: 129, nodesPerEdge: 64 });
  const { nodes, messages } = makeVoters(shard.numNodes, (index) =>
    storedPartitions(shard, asNodeIndex(index)),
  );
  const cycleShard = { ...shard, cycleNumber: asCycle(1) };
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    times.push(
      await timeMs(() => {
        const votes = new VoteCollection(cycleShard, nodes, hashKey);
        for (const message of messages) votes.admit(message);
        if (votes.tally.agreement(asPartition(0))?.votesFor !== 129) throw new Error("not all votes count");
      }),
    );
  }
  return { messages: messages.length, hashesEach: 258, medianMs: median(times) };
}
