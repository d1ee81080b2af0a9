/** Snapshots that are made to be expensive to verify. */

import { runRecordText } from "../../dist/format/run-record.js";
import { DEFAULT_HASH_KEY } from "../../dist/protocol/crypto/hash.js";
import { signed } from "../../dist/protocol/crypto/signature.js";
import { cycle, hex, type SnapshotContent, signersOf } from "./hostile-snapshot.ts";

export interface HostileCase extends SnapshotContent {
  readonly id: string;
  /** Further arguments of `verify`. */
  readonly args?: readonly string[];
}

const MiB = 2 ** 20;
const piecesAtOnce = 10_000;

export const hostileCases: readonly HostileCase[] = [
  {
    id: "1,000 nodes, messages of 500 KB of garbage",
    nodes: 1_000,
    files: {
      "evidence/gossip.jsonl": function* () {
        for (const { id } of signersOf(1_000)) yield `{"sender":"${id}","x":"${"x".repeat(500_000)}"}\n`;
      },
    },
  },
  {
    id: "1,000 nodes, signed messages of 500 KB of small values",
    nodes: 1_000,
    files: {
      "evidence/gossip.jsonl": () =>
        signedMessages(() => ({
          partitionHash: {},
          summaryHash: Array.from({ length: 160_000 }, () => ({})),
        })),
    },
  },
  {
    id: "1,000 nodes that each vote for a different hash of every partition",
    nodes: 1_000,
    args: ["--quorum", "popular", "--nodes-per-consensus-group", "999"],
    files: {
      "evidence/gossip.jsonl": () =>
        signedMessages((id) => ({
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
    id: "deeply nested cycle records",
    nodes: 3,
    files: { "evidence/cycles.json": () => repeated("", "[", 60 * MiB, "") },
  },
  {
    id: "260,000 empty cycle records",
    nodes: 3,
    files: { "evidence/cycles.json": () => repeated("[", "{},", 260_000, "{}]") },
  },
  {
    id: "an unsigned cycle record of 60 MB of text",
    nodes: 3,
    files: { "evidence/cycles.json": () => repeated(`[${openRecord()},"x":"`, "é", 30 * MiB, '"}]') },
  },
  {
    id: "a cycle record of 60 MB of text with a false signature",
    nodes: 3,
    files: {
      "evidence/cycles.json": () =>
        repeated(
          `{"cycleInfo":[${openRecord()},"x":"`,
          "é",
          30 * MiB,
          `"}],"sign":{"owner":"${hex(1)}","sig":"${hex(2)}${hex(3)}${hex(4)}"}}`,
        ),
    },
  },
  {
    id: "a cycle record of 480,000 values",
    nodes: 3,
    files: { "evidence/cycles.json": () => repeated(`[${openRecord()},"x":[`, '{"a":1},', 240_000, "1]}]") },
  },
  {
    id: "90,001 chained cycle records",
    nodes: 3,
    files: {
      "evidence/cycles.json": () =>
        repeated("[", `${openRecord({ marker: hex(5), previous: hex(6) })}},`, 90_000, `${openRecord()}}]`),
    },
  },
  { id: "50,001 missing artifacts", nodes: 50_000, artifacts: false },
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
    id: "counting rules of 200 MB",
    nodes: 3,
    files: { "evidence/counting.json": () => repeated("[", "1,", 100 * MiB, "1]") },
  },
  {
    id: "a run record of 200 MB",
    nodes: 3,
    runRecord: () => repeated("[", "1,", 100 * MiB, "1]"),
  },
  {
    id: "a run record of 30 MB of text, for 50,000 nodes",
    nodes: 50_000,
    artifacts: false,
    runRecord: (hashes) => [runRecordText({ x: "é".repeat(15 * MiB) }, hashes, DEFAULT_HASH_KEY)],
  },
  {
    id: "a run record of 490,000 values, for 50,000 nodes",
    nodes: 50_000,
    artifacts: false,
    runRecord: (hashes) => [
      runRecordText({ x: Array.from({ length: 490_000 }, () => ({})) }, hashes, DEFAULT_HASH_KEY),
    ],
  },
  {
    id: "a configuration of 490,000 values",
    nodes: 3,
    files: { "evidence/netconfig.json": () => repeated('{"config":{"x":[', "{},", 490_000, "1]}}") },
  },
];

/** Yields a piece many times between a head and a tail. */
function* repeated(head: string, piece: string, count: number, tail: string): Generator<string> {
  yield head;
  const many = piece.repeat(piecesAtOnce);
  let left = Math.floor(count);
  for (; left >= piecesAtOnce; left -= piecesAtOnce) yield many;
  yield piece.repeat(left);
  yield tail;
}

/** Yields a signed message of each of 1,000 validators as a line. */
function* signedMessages(dataOf: (id: string) => object): Generator<string> {
  for (const { id, privateKey } of signersOf(1_000)) {
    yield `${JSON.stringify(signed({ cycle, data: dataOf(id), sender: id }, privateKey))}\n`;
  }
}

/** Returns the text of a cycle record without its closing brace. */
function openRecord(fields: object = {}): string {
  return JSON.stringify({ counter: cycle, start: 1, duration: 60, active: 3, ...fields }).slice(0, -1);
}
