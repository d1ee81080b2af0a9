/**
 * What `verify` needs for directories that are made to cost much: seconds, and megabytes of memory at the most.
 *
 *     npm run build && node test/bench/hostile-directory.js
 */

import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportDataText } from "../../dist/format/export-data.js";
import { makeManifest, manifestText } from "../../dist/format/manifest.js";
import { runRecordText } from "../../dist/format/run-record.js";
import { DEFAULT_HASH_KEY, hashText, RunningHash } from "../../dist/protocol/crypto/hash.js";
import { signed } from "../../dist/protocol/crypto/signature.js";
import { EMPTY_PREIMAGE, networkHash } from "../../dist/protocol/partition-hash.js";
import { makeIdentities } from "../../dist/testnet/cluster/network.js";

const megabytesMax = 500;
const secondsMax = 60;
const MiB = 2 ** 20;
const bin = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));
const reportMemory = `process.on("exit", () => process.stderr.write("maxrss=" + process.resourceUsage().maxRSS))`;
const cycle = 8;
const timestamp = 1_700_000_540_000;

/** A directory of empty partitions, in which some files are others: texts, or functions that yield pieces. */
function makeDirectory(directory, numNodes, files) {
  mkdirSync(join(directory, "evidence"), { recursive: true });
  const hash = hashText(EMPTY_PREIMAGE);
  const partitionHashes = new Map(Array.from({ length: numNodes + 1 }, (_, index) => [index - 1, hash]));
  const data = {
    timestamp,
    cycle,
    hashKey: DEFAULT_HASH_KEY,
    networkHash: networkHash(partitionHashes),
    partitionHashes,
  };
  const manifest = makeManifest(data, { accounts: 0, bytes: 2 * (numNodes + 1) }, "none");
  const contents = {
    "export-data.jsonl": exportDataText(data),
    "export-manifest.json": manifestText(manifest),
    "evidence/node-list.json": JSON.stringify({ nodeList: rowsOf(nodesOf(numNodes)) }),
    "evidence/cycles.json": JSON.stringify([
      { counter: cycle, start: timestamp / 1000 - 60, duration: 60, active: numNodes },
    ]),
    "evidence/counting.json": JSON.stringify({
      sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2, source: "told" },
      quorum: { rule: "majority", source: "given" },
    }),
    "evidence/gossip.jsonl": "",
    ...files,
  };
  const hashes = {};
  for (const [file, content] of Object.entries(contents)) {
    if (file === "artifacts" || file === "run.json") continue;
    hashes[file] = writePieces(join(directory, file), typeof content === "string" ? [content] : content());
  }
  if (files.artifacts !== false) {
    for (const [, file] of manifest.artifacts) writeFileSync(join(directory, file), EMPTY_PREIMAGE);
  }
  const run = files["run.json"];
  if (run === undefined)
    writeFileSync(join(directory, "run.json"), runRecordText({}, hashes, DEFAULT_HASH_KEY));
  else writePieces(join(directory, "run.json"), run(hashes));
}

/** Returns the hash of what it wrote. */
function writePieces(path, pieces) {
  const hash = new RunningHash();
  const file = openSync(path, "w");
  for (const piece of pieces) {
    const bytes = Buffer.from(piece);
    writeSync(file, bytes);
    hash.update(bytes);
  }
  closeSync(file);
  return hash.digest();
}

/** Networks in which somebody signs something; true keys take their time to make. */
const signersMax = 1_000;

const identities = new Map();
function nodesOf(count) {
  if (count > signersMax) {
    return Array.from({ length: count }, (_, index) => ({ id: hex(index), publicKey: hex(count + index) }));
  }
  if (!identities.has(count)) identities.set(count, makeIdentities("hostile", count));
  return identities.get(count);
}

function rowsOf(nodes) {
  return nodes.map(({ id, publicKey }, index) => ({ id, ip: "127.0.0.1", port: 1 + index, publicKey }));
}

function* repeated(head, piece, count, tail) {
  yield head;
  const many = piece.repeat(10_000);
  let left = count;
  for (; left >= 10_000; left -= 10_000) yield many;
  yield piece.repeat(left);
  yield tail;
}

function* signedMessages(nodes, dataOf) {
  for (const { id, privateKey } of nodes) {
    yield `${JSON.stringify(signed({ cycle, data: dataOf(id), sender: id }, privateKey))}\n`;
  }
}

const hex = (number) => number.toString(16).padStart(64, "0");
const record = (fields) =>
  JSON.stringify({ counter: cycle, start: 1, duration: 60, active: 3, ...fields }).slice(0, -1);

const cases = [
  {
    id: "1,000 nodes, messages of 500 KB of garbage",
    nodes: 1_000,
    files: {
      "evidence/gossip.jsonl": function* () {
        for (const { id } of nodesOf(1_000)) yield `{"sender":"${id}","x":"${"x".repeat(500_000)}"}\n`;
      },
    },
  },
  {
    id: "1,000 nodes, signed messages of 500 KB of small values",
    nodes: 1_000,
    files: {
      "evidence/gossip.jsonl": () =>
        signedMessages(nodesOf(1_000), () => ({
          partitionHash: {},
          summaryHash: Array.from({ length: 160_000 }, () => ({})),
        })),
    },
  },
  {
    id: "1,000 nodes that each vote for a hash of their own on every partition",
    nodes: 1_000,
    args: ["--quorum", "popular", "--nodes-per-consensus-group", "999"],
    files: {
      "evidence/gossip.jsonl": () =>
        signedMessages(nodesOf(1_000), (id) => ({
          partitionHash: Object.fromEntries(
            Array.from({ length: 1_000 }, (_, p) => [p, id.slice(0, 32) + hex(p).slice(32)]),
          ),
        })),
    },
  },
  {
    id: "a node list of 64 MB of {}",
    nodes: 50_000,
    artifacts: false,
    files: { "evidence/node-list.json": () => repeated('{"nodeList":[', "{},", (64 * MiB) / 3 - 10, "{}]}") },
  },
  {
    id: "a node list of 499,000 empty rows",
    nodes: 50_000,
    artifacts: false,
    files: { "evidence/node-list.json": () => repeated('{"nodeList":[', "{},", 499_000, "{}]}") },
  },
  {
    id: "a node list of 49,000 empty rows",
    nodes: 50_000,
    artifacts: false,
    files: { "evidence/node-list.json": () => repeated('{"nodeList":[', "{},", 49_000, "{}]}") },
  },
  {
    id: "cycle records nested deep",
    nodes: 3,
    files: { "evidence/cycles.json": () => repeated("", "[", 60 * MiB, "") },
  },
  {
    id: "cycle records of 260,000 empty ones",
    nodes: 3,
    files: { "evidence/cycles.json": () => repeated("[", "{},", 260_000, "{}]") },
  },
  {
    id: "a cycle record of 60 MB of text, signed by nobody",
    nodes: 3,
    files: { "evidence/cycles.json": () => repeated(`[${record()},"x":"`, "é", 30 * MiB, '"}]') },
  },
  {
    id: "a cycle record of 60 MB of text, under a false signature",
    nodes: 3,
    files: {
      "evidence/cycles.json": () =>
        repeated(
          `{"cycleInfo":[${record()},"x":"`,
          "é",
          30 * MiB,
          `"}],"sign":{"owner":"${hex(1)}","sig":"${hex(2)}${hex(3)}${hex(4)}"}}`,
        ),
    },
  },
  {
    id: "a cycle record of 480,000 values",
    nodes: 3,
    files: { "evidence/cycles.json": () => repeated(`[${record()},"x":[`, '{"a":1},', 240_000, "1]}]") },
  },
  {
    id: "100,000 cycle records, each of which names network hashes",
    nodes: 3,
    files: {
      "evidence/cycles.json": () =>
        repeated("[", `${record({ marker: hex(5), previous: hex(6) })}},`, 90_000, `${record()}}]`),
    },
  },
  { id: "50,001 artifacts that are missing", nodes: 50_000, artifacts: false, files: {} },
  {
    id: "a manifest of 12 MB of empty artifacts",
    nodes: 3,
    files: { "export-manifest.json": () => repeated('{"artifacts":[', "[],", 4 * MiB - 100, "[]]}") },
  },
  {
    id: "a manifest of 50,001 empty artifacts",
    nodes: 3,
    files: { "export-manifest.json": () => repeated('{"artifacts":[', "[],", 50_000, "[]]}") },
  },
  {
    id: "export data of 256 MB",
    nodes: 3,
    files: { "export-data.jsonl": () => repeated("", '["a","b"]\n', 25_600_000, "") },
  },
  {
    id: "export data of empty lines, for 50,000 nodes",
    nodes: 50_000,
    artifacts: false,
    files: { "export-data.jsonl": () => repeated("", "\n", 6_000_000, "") },
  },
  {
    id: "rules of counting of 200 MB",
    nodes: 3,
    files: { "evidence/counting.json": () => repeated("[", "1,", 100 * MiB, "1]") },
  },
  {
    id: "a run record of 200 MB",
    nodes: 3,
    files: { "run.json": () => repeated("[", "1,", 100 * MiB, "1]") },
  },
  {
    id: "a run record of 30 MB of text, for 50,000 nodes",
    nodes: 50_000,
    artifacts: false,
    files: {
      "run.json": (hashes) => [runRecordText({ x: "é".repeat(15 * MiB) }, hashes, DEFAULT_HASH_KEY)],
    },
  },
  {
    id: "a run record of 490,000 values, for 50,000 nodes",
    nodes: 50_000,
    artifacts: false,
    files: {
      "run.json": (hashes) => [
        runRecordText({ x: Array.from({ length: 490_000 }, () => ({})) }, hashes, DEFAULT_HASH_KEY),
      ],
    },
  },
  {
    id: "a configuration of 490,000 values",
    nodes: 3,
    files: { "evidence/netconfig.json": () => repeated('{"config":{"x":[', "{},", 490_000, "1]}}") },
  },
];

const scratch = mkdtempSync(join(tmpdir(), "hostile-directory-"));
let isTooMuch = false;
try {
  for (const { id, nodes, files, artifacts, args = [] } of cases) {
    const directory = join(scratch, "snapshot");
    makeDirectory(directory, nodes, { ...files, ...(artifacts === false ? { artifacts } : {}) });
    const startedMs = performance.now();
    const { status, stderr } = spawnSync(
      process.execPath,
      [
        "--import",
        `data:text/javascript,${encodeURIComponent(reportMemory)}`,
        bin,
        "verify",
        ...args,
        directory,
      ],
      { encoding: "utf8", maxBuffer: 64 * MiB, timeout: 5 * 60_000 },
    );
    const seconds = (performance.now() - startedMs) / 1000;
    const megabytes = Number(/maxrss=(\d+)/.exec(stderr)?.[1]) / 1024;
    const isWrong = ![4, 6, 7, 8].includes(status) || !(megabytes < megabytesMax) || seconds > secondsMax;
    isTooMuch ||= isWrong;
    process.stdout.write(
      `${isWrong ? "TOO MUCH" : "ok      "} ${megabytes.toFixed(0).padStart(5)} MB ${seconds.toFixed(1).padStart(5)} s, status ${status}: ${id}\n`,
    );
    rmSync(directory, { recursive: true, force: true });
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = isTooMuch ? 1 : 0;
