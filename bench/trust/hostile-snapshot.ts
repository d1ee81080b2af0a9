/** Writes a snapshot of empty partitions, in which a case replaces some files. */

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { exportDataText } from "../../dist/format/export-data.js";
import { makeManifest, manifestText } from "../../dist/format/manifest.js";
import { runRecordText } from "../../dist/format/run-record.js";
import { asCycle } from "../../dist/protocol/brands.js";
import { DEFAULT_HASH_KEY, hashText, RunningHash } from "../../dist/protocol/crypto/hash.js";
import { EMPTY_PREIMAGE, networkHash } from "../../dist/protocol/partition-hash.js";
import { allPartitions } from "../../dist/protocol/shard.js";
import { makeIdentities } from "../../dist/testnet/cluster/network.js";
import type { Identity } from "../../dist/testnet/validator/identity.js";

export const cycle = asCycle(8);
const timestamp = 1_700_000_540_000;

/** File → hash of its bytes. */
export type FileHashes = Readonly<Record<string, string>>;

export interface SnapshotContent {
  readonly nodes: number;
  /** Whether the artifacts exist; by default they do. */
  readonly artifacts?: boolean;
  /** File → the pieces of its content. */
  readonly files?: Readonly<Record<string, () => Iterable<string>>>;
  /** The pieces of `run.json`, which names the hashes of the other files. */
  readonly runRecord?: (hashes: FileHashes) => Iterable<string>;
}

export function writeSnapshot(directory: string, content: SnapshotContent): void {
  const { nodes, artifacts = true, files = {}, runRecord } = content;
  mkdirSync(join(directory, "evidence"), { recursive: true });
  const hash = hashText(EMPTY_PREIMAGE);
  const partitionHashes = new Map(allPartitions({ numNodes: nodes }).map((partition) => [partition, hash]));
  const data = {
    timestamp,
    cycle,
    hashKey: DEFAULT_HASH_KEY,
    networkHash: networkHash(partitionHashes),
    partitionHashes,
  };
  const manifest = makeManifest(data, { accounts: 0, bytes: 2 * (nodes + 1) }, "none");
  const contents: Record<string, () => Iterable<string>> = {
    "export-data.jsonl": () => [exportDataText(data)],
    "export-manifest.json": () => [manifestText(manifest)],
    ...evidenceOf(nodes),
    ...files,
  };
  const hashes: Record<string, string> = {};
  for (const [file, pieces] of Object.entries(contents)) {
    hashes[file] = writePieces(join(directory, file), pieces());
  }
  if (artifacts) {
    for (const [, file] of manifest.artifacts) writeFileSync(join(directory, file), EMPTY_PREIMAGE);
  }
  const record = runRecord?.(hashes) ?? [runRecordText({}, hashes, DEFAULT_HASH_KEY)];
  writePieces(join(directory, "run.json"), record);
}

function evidenceOf(nodes: number): Record<string, () => Iterable<string>> {
  const record = { counter: cycle, start: timestamp / 1000 - 60, duration: 60, active: nodes };
  const rules = {
    sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2, source: "told" },
    quorum: { rule: "majority", source: "given" },
  };
  return {
    "evidence/node-list.json": () => [JSON.stringify({ nodeList: nodeRows(nodes) })],
    "evidence/cycles.json": () => [JSON.stringify([record])],
    "evidence/counting.json": () => [JSON.stringify(rules)],
    "evidence/gossip.jsonl": () => [""],
  };
}

/** Returns the hash of the written bytes. */
function writePieces(path: string, pieces: Iterable<string>): string {
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

/** Larger networks have no real keys, which take time to make. */
const signersMax = 1_000;
const signers = new Map<number, Identity[]>();

/** Returns the identities of a network whose nodes sign. */
export function signersOf(nodes: number): readonly Identity[] {
  const known = signers.get(nodes) ?? makeIdentities("hostile", nodes);
  signers.set(nodes, known);
  return known;
}

function nodeRows(nodes: number): object[] {
  const identities: readonly { readonly id: string; readonly publicKey: string }[] =
    nodes > signersMax
      ? Array.from({ length: nodes }, (_, index) => ({ id: hex(index), publicKey: hex(nodes + index) }))
      : signersOf(nodes);
  return identities.map(({ id, publicKey }, index) => ({ id, ip: "127.0.0.1", port: 1 + index, publicKey }));
}

/** Returns 64 hex digits. */
export function hex(number: number): string {
  return number.toString(16).padStart(64, "0");
}
