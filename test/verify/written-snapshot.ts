/** A valid snapshot of five nodes that a test writes without a run, and can change in any part. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { artifactFile } from "../../src/format/artifact.ts";
import { ARCHIVERS_FILE } from "../../src/format/evidence/archivers.ts";
import {
  COUNTING_FILE,
  type CountingRules,
  countingRulesText,
} from "../../src/format/evidence/counting-rules.ts";
import { CYCLES_FILE } from "../../src/format/evidence/cycles.ts";
import { GOSSIP_FILE } from "../../src/format/evidence/gossip.ts";
import { NETCONFIG_FILE } from "../../src/format/evidence/netconfig.ts";
import { NODE_LIST_FILE } from "../../src/format/evidence/node-list.ts";
import { TX_LIST_FILE } from "../../src/format/evidence/tx-list.ts";
import { EXPORT_DATA_FILE, exportDataText } from "../../src/format/export-data.ts";
import { MANIFEST_FILE, makeManifest, manifestText } from "../../src/format/manifest.ts";
import { RUN_FILE, runRecordText } from "../../src/format/run-record.ts";
import { asNodeId, asNodeIndex } from "../../src/protocol/brands.ts";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { signed } from "../../src/protocol/crypto/signature.ts";
import { cycleMarker } from "../../src/protocol/cycle-record.ts";
import { networkHash, partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { GLOBAL_PARTITION, storedPartitions } from "../../src/protocol/shard.ts";
import { SnapshotDirectory } from "../../src/store/snapshot-directory.ts";
import { makeVote } from "../../src/testnet/validator/gossip/vote.ts";
import { makeIdentity } from "../../src/testnet/validator/identity.ts";
import { Audit, type AuditSubject, type Trust } from "../../src/verify/evidence/audit.ts";
import { checkSmallFiles } from "../../src/verify/files/small-files.ts";
import { FindingList } from "../../src/verify/findings/finding-list.ts";
import { cycle, hashKey, identities, shard } from "../agreement/test-votes.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { asHashes } from "../helpers/brands.ts";
import { emptyRun } from "../helpers/run-record.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

export { cycle, hashKey, identities, shard };

const startSeconds = 1_700_000_000;
const durationSeconds = 60;
const secondsOf = (counter: number) => startSeconds + counter * durationSeconds;
export const timestamp = secondsOf(cycle + 1) * 1000;

const accounts = makeAccounts(shard, { perPartition: 2, globals: 1 });
const preimages = partitionPreimages(accounts, shard);
export const hashes = new Map([...preimages].map(([partition, text]) => [partition, hashText(text)]));
export const exportData = {
  timestamp,
  cycle,
  hashKey,
  partitionHashes: hashes,
  networkHash: networkHash(hashes),
};
const size = {
  accounts: accounts.length,
  bytes: [...preimages.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0),
};
export const manifest = makeManifest(exportData, size, "none");

export const archiver = makeIdentity(asNodeId("a".repeat(64)), Buffer.alloc(32, 7));
export const byArchiver = <T extends object>(list: T) => signed(list, archiver.privateKey);

export const netconfig = { config: { sharding: { nodesPerConsensusGroup: 3, nodesPerEdge: 0 } } };
export const configHash = hashText(canonicalTextOf(netconfig.config));

export const rows = identities.map(({ id, publicKey }) => ({ id, publicKey, ip: "127.0.0.1", port: 9 }));

/** The vote of a node for the true hashes, some of them replaced. */
export function voteOf(index: number, lies: Readonly<Record<number, string>> = {}): string {
  const identity = identities[index];
  if (identity === undefined) throw new RangeError(`there is no node ${index}`);
  const stored = [GLOBAL_PARTITION, ...storedPartitions(shard, asNodeIndex(index))];
  const of = asHashes(stored.map((partition) => [partition, lies[partition] ?? hashes.get(partition) ?? ""]));
  return JSON.stringify(makeVote(identity, cycle, of));
}

/** Linked records with their markers; the first is that of the snapshot's cycle. */
export function chainOf(...changes: readonly object[]): Record<string, unknown>[] {
  let previous = "0".repeat(64);
  return changes.map((change, index) => {
    const [counter, start] = [cycle + index, secondsOf(cycle + index)];
    const record = { counter, start, duration: durationSeconds, active: 5, previous, ...change };
    previous = cycleMarker(record);
    return { ...record, marker: previous };
  });
}

/** The record of the snapshot's cycle, and one that names its network hash. */
export const chain = chainOf(
  { networkConfigHash: configHash },
  { networkDataHash: [{ cycle, hash: exportData.networkHash }] },
);

export const counting: CountingRules = {
  sharding: { nodesPerConsensusGroup: 3, nodesPerEdge: 0, source: "proved" },
  quorum: { rule: "majority", source: "given" },
};

export interface SnapshotParts {
  readonly manifest: string;
  readonly exportData: string;
  readonly nodeList: unknown;
  readonly cycles: unknown;
  readonly counting: unknown;
  /** `undefined` for a snapshot whose settings nothing proves. */
  readonly netconfig: unknown;
  readonly gossip: readonly string[];
  /** `undefined` for a snapshot without a list of transactions. */
  readonly txList: unknown;
  /** `undefined` for a snapshot without a list of archivers. */
  readonly archivers: unknown;
}

/** Writes a snapshot for the running test, some of its parts changed. Returns its directory. */
export function writtenSnapshot(changes: Partial<SnapshotParts> = {}): string {
  const directory = join(temporaryDirectory(), `snapshot-${timestamp}`);
  const parts: SnapshotParts = {
    manifest: manifestText(manifest),
    exportData: exportDataText(exportData),
    nodeList: byArchiver({ nodeList: rows }),
    cycles: byArchiver({ cycleInfo: chain }),
    counting,
    netconfig,
    gossip: [0, 1, 2, 3, 4].map((index) => voteOf(index)),
    txList: undefined,
    archivers: undefined,
    ...changes,
  };
  const files = new Map<string, string>([
    [MANIFEST_FILE, parts.manifest],
    [EXPORT_DATA_FILE, parts.exportData],
    [NODE_LIST_FILE, JSON.stringify(parts.nodeList)],
    [CYCLES_FILE, JSON.stringify(parts.cycles)],
    [
      COUNTING_FILE,
      parts.counting === counting ? countingRulesText(counting) : JSON.stringify(parts.counting),
    ],
    [GOSSIP_FILE, parts.gossip.map((line) => `${line}\n`).join("")],
    ...(parts.netconfig === undefined ? [] : [[NETCONFIG_FILE, JSON.stringify(parts.netconfig)] as const]),
    ...(parts.txList === undefined ? [] : [[TX_LIST_FILE, JSON.stringify(parts.txList)] as const]),
    ...(parts.archivers === undefined ? [] : [[ARCHIVERS_FILE, JSON.stringify(parts.archivers)] as const]),
    ...[...preimages].map(([partition, text]) => [artifactFile(partition, "none"), text] as const),
  ]);
  const listed = Object.fromEntries([...files].map(([file, text]) => [file, hashText(text)]));
  files.set(RUN_FILE, runRecordText(emptyRun, listed, hashKey));
  for (const [file, text] of files) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return directory;
}

/** The audit of a written snapshot, whose small files have been read. */
export async function auditOf(changes: Partial<SnapshotParts> = {}, trust: Trust = {}): Promise<Audit> {
  const reader = new SnapshotDirectory(writtenSnapshot(changes));
  const small = await checkSmallFiles(reader, new FindingList());
  if (small.manifest === undefined || small.hashKey === undefined) throw new Error("nothing to audit");
  return new Audit({ reader, ...small } as AuditSubject, trust, new FindingList());
}

/** The findings as `kind file: problem`. */
export function findingsOf({ findings }: Audit): string[] {
  return findings.all.map(({ kind, file, problem }) => `${kind} ${file}: ${problem}`);
}
