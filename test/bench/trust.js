/**
 * What checking costs: `npm run build && node test/bench/trust.js`.
 *
 * - verify against hashing the same artifacts alone, with the same hash function and block size
 * - the tally of 1,000 nodes with a store radius of 128, all signatures checked, on one core
 *
 * Medians of five, side by side in one process; a table, and JSON on the last line.
 */

import { generateKeyPairSync } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VoteCollection } from "../../dist/agreement/vote-collection.js";
import { verifySnapshot } from "../../dist/app/verify.js";
import { accountCopyText } from "../../dist/protocol/account-copy.js";
import { hashText, RunningHash } from "../../dist/protocol/crypto/hash.js";
import { ownerOf, signed } from "../../dist/protocol/crypto/signature.js";
import { networkHash } from "../../dist/protocol/partition-hash.js";
import { allPartitions, makeShard, partitionRange, storedPartitions } from "../../dist/protocol/shard.js";
import { PartialSnapshot } from "../../dist/store/partial-snapshot.js";
import { machine, median, say, time } from "./measure.js";

const rounds = 5;
const stateBytes = Number(process.argv[2] ?? 400) * 1e6;
const hashKey = "69fa4195670576c0160d660c3be36556ff8d504725be8a59b5a96509e0c994bc";

const scratch = await mkdtemp(join(tmpdir(), "bench-trust-"));
try {
  const verify = await benchVerify();
  const tally = await benchTally();
  say(`hashing alone        ${verify.hashMs} ms for ${verify.megabytes} MB`);
  say(
    `verify               ${verify.verifyMs} ms, ${Math.round(verify.share * 100)} % of the speed of hashing`,
  );
  say(
    `tally, 1,000 nodes   ${tally.medianMs} ms for ${tally.messages} messages of ${tally.hashesEach} hashes`,
  );
  say(JSON.stringify({ machine, verify, tally }));
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function benchVerify() {
  const { directory, files } = await makeSnapshot();
  const hashTimes = [];
  const verifyTimes = [];
  for (let round = 0; round < rounds; round++) {
    hashTimes.push(await time(() => hashFiles(files)));
    verifyTimes.push(
      await time(async () => {
        const { findings } = await verifySnapshot(directory);
        // Its votes are not real; its bytes must be.
        if (findings.some(({ kind }) => kind.startsWith("artifact") || kind === "totals"))
          throw new Error("wrong");
      }),
    );
  }
  const [hashMs, verifyMs] = [median(hashTimes), median(verifyTimes)];
  return { megabytes: Math.round(stateBytes / 1e6), hashMs, verifyMs, share: hashMs / verifyMs };
}

async function hashFiles(files) {
  for (const file of files) {
    const hash = new RunningHash(hashKey);
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) hash.update(chunk);
    hash.digest();
  }
}

/** A snapshot of nine partitions of plain accounts, published as any other. */
async function makeSnapshot() {
  const shard = makeShard({ numNodes: 9 });
  const partial = await PartialSnapshot.open({ out: scratch, timestamp: 1, compression: "none" });
  const partitionHashes = new Map();
  let accounts = 0;
  let bytes = 0;
  for (const partition of allPartitions(shard)) {
    const copies = partition < 0 ? [] : copiesOf(partitionRange(shard, partition).low, stateBytes / 9);
    accounts += copies.length;
    const text = `[${copies.join(",")}]`;
    bytes += text.length;
    partitionHashes.set(partition, hashText(text, hashKey));
    const path = partial.incomingPath(0, partition);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text);
    await partial.accept(partition, path);
  }
  const data = {
    timestamp: 1,
    cycle: 1,
    hashKey,
    networkHash: networkHash(partitionHashes),
    partitionHashes,
  };
  const evidence = {
    nodeList: Buffer.from("[]"),
    cycles: Buffer.from("[]"),
    counting: {
      sharding: { nodesPerConsensusGroup: 3, nodesPerEdge: 1, source: "given" },
      quorum: { rule: "majority", source: "given" },
    },
    gossip: [],
  };
  const manifest = await partial.complete(data, { accounts, bytes }, evidence, {});
  const directory = await partial.putInPlace();
  return { directory, files: manifest.artifacts.map(([, file]) => join(directory, file)) };
}

function copiesOf(low, bytes) {
  const copies = [];
  let size = 0;
  for (let i = 0; size < bytes; i++) {
    const accountId = low.slice(0, 8) + i.toString(16).padStart(56, "0");
    const data = { balance: { dataType: "bi", value: "de0b6b3a7640000" }, nonce: i, code: "ab".repeat(150) };
    const copy = accountCopyText({ accountId, stateId: accountId, data, timestamp: 1700000000000 + i });
    copies.push(copy);
    size += copy.length;
  }
  return copies;
}

async function benchTally() {
  const numNodes = 1000;
  const shard = makeShard({ numNodes, nodesPerConsensusGroup: 129, nodesPerEdge: 64 });
  const hash = hashText("state");
  const nodes = [];
  const messages = [];
  for (let index = 0; index < numNodes; index++) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const id = index.toString(16).padStart(64, "0");
    const partitionHash = Object.fromEntries(
      [...storedPartitions(shard, index), -1].map((key) => [key, hash]),
    );
    const data = { partitionHash, receiptMapHash: {}, summaryHash: {} };
    nodes.push({ id, url: "http://127.0.0.1", publicKey: ownerOf(privateKey) });
    messages.push(JSON.stringify(signed({ cycle: 1, data, sender: id }, privateKey)));
  }
  const times = [];
  for (let round = 0; round < rounds; round++) {
    times.push(
      await time(() => {
        const box = new VoteCollection(
          { ...shard, cycleNumber: 1, nodeIds: nodes.map(({ id }) => id) },
          nodes,
          hashKey,
        );
        for (const message of messages) box.admit(message);
        if (box.tally.agreement(0)?.votesFor !== 129) throw new Error("wrong");
      }),
    );
  }
  return { messages: numNodes, hashesEach: 258, medianMs: median(times) };
}
