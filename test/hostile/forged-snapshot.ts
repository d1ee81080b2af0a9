/**
 * Makes snapshot directories of an attacker, for a network with real keys, with the project's own writers and with the
 * lies that a test chooses. Without a lie, the directory is that of an honest run.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CountingRules } from "../../src/format/evidence/counting-rules.ts";
import { asCycle, asHashHex, asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { signed } from "../../src/protocol/crypto/signature.ts";
import { cycleMarker } from "../../src/protocol/cycle-record.ts";
import { networkHash, partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { makeShard, stores } from "../../src/protocol/shard.ts";
import { PartialSnapshot } from "../../src/store/partial-snapshot.ts";
import {
  type ChainedRecord,
  firstCycleStart,
  makeCycleChain,
} from "../../src/testnet/cluster/cycle-records.ts";
import { makeIdentities } from "../../src/testnet/cluster/network.ts";
import { networkConfigHashOf, networkConfigOf } from "../../src/testnet/cluster/network-config.ts";
import { makeVote } from "../../src/testnet/validator/gossip/vote.ts";
import type { Identity } from "../../src/testnet/validator/identity.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { emptyRun } from "../helpers/run-record.ts";

export const settings = { nodesPerConsensusGroup: 5, nodesPerEdge: 2, cycleDuration: 60 };
export const numNodes = 15;
export const snapshotCycle = 8;
export const timestamp = (firstCycleStart + (snapshotCycle + 1) * settings.cycleDuration) * 1000;
export const networkConfigHash = networkConfigHashOf(settings);

const nodes = makeIdentities("forged", numNodes);
const [archiverKeys, strangerKeys] = makeIdentities("archivers", 2) as [Identity, Identity];
export const archiver = archiverKeys;
/** A signer that no auditor trusts. */
export const stranger = strangerKeys;

const shard = makeShard({ numNodes, ...settings });
const truth = partitionPreimages(makeAccounts(shard, { perPartition: 3, globals: 2 }), shard);
const trueHashes = new Map([...truth].map(([partition, text]) => [partition, hashText(text)]));

const rows = nodes.map(({ id, publicKey }, index) => ({
  id,
  ip: "127.0.0.1",
  port: 9001 + index,
  publicKey,
}));

/** The records of an honest network, whose last ones name the network hash of the snapshot's cycle. */
export const trueChain = chainOf(networkHash(trueHashes));

export function chainOf(hash: string, configHash: string | undefined = networkConfigHash): ChainedRecord[] {
  return makeCycleChain({
    seed: "forged",
    cycles: 13,
    cycleDuration: settings.cycleDuration,
    activeNodes: numNodes,
    snapshotCycle: asCycle(snapshotCycle),
    networkHash: asHashHex(hash),
    networkConfigHash: asHashHex(configHash),
  });
}

/** The chain with one record changed, and all markers from there on computed anew. */
export function rechained(
  records: readonly ChainedRecord[],
  change: (record: ChainedRecord) => ChainedRecord,
): ChainedRecord[] {
  let previous: string | undefined;
  return records.map((record) => {
    const changed = { ...change(record), ...(previous === undefined ? {} : { previous }) };
    const marker = cycleMarker(changed);
    previous = marker;
    return { ...changed, marker };
  });
}

/** A chain that names no network hash, as in present networks. */
export const silentChain = rechained(trueChain, (record) => ({ ...record, networkDataHash: [] }));

export interface Lies {
  /** Partitions whose accounts are changed. */
  readonly partitions?: readonly number[];
  /** Nodes that sign the changed hashes; all others sign the true ones. */
  readonly liars?: readonly number[];
  /** Nodes whose messages are in the evidence; all by default. */
  readonly voters?: readonly number[];
  readonly counting?: CountingRules | Record<string, unknown>;
  /** The response as received; `null` for none. */
  readonly netconfig?: string | null;
  readonly records?: readonly object[];
  readonly timestamp?: number;
  /** The signer of the node list and the cycle records; `null` for unsigned ones. */
  readonly signer?: Identity | null;
  readonly cyclesSigner?: Identity | null;
}

const honestCounting: CountingRules = {
  sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2, source: "proved" },
  quorum: { rule: "majority", source: "given" },
};

export async function forge(out: string, lies: Lies = {}): Promise<string> {
  const { partitions = [], liars = [], voters = nodes.keys(), signer = archiver } = lies;
  const preimages = new Map(truth);
  for (const partition of partitions) {
    preimages.set(
      asPartition(partition),
      (truth.get(asPartition(partition)) ?? "").replace(/"timestamp":1/, '"timestamp":2'),
    );
  }
  const partitionHashes = new Map([...preimages].map(([partition, text]) => [partition, hashText(text)]));
  const hashKey = DEFAULT_HASH_KEY;
  const data = {
    timestamp: lies.timestamp ?? timestamp,
    cycle: asCycle(snapshotCycle),
    hashKey,
    networkHash: networkHash(partitionHashes),
    partitionHashes,
  };
  const place = { out, timestamp: data.timestamp, compression: "none" as const, numPartitions: nodes.length };
  const partial = await PartialSnapshot.open(place);
  let bytes = 0;
  for (const [partition, text] of preimages) {
    const incoming = partial.incomingPath(0, partition);
    writeFileSync(incoming, text);
    await partial.accept(partition, incoming);
    bytes += Buffer.byteLength(text);
  }
  const votes = [...voters].map((index) => {
    const hashes = liars.includes(index) ? partitionHashes : trueHashes;
    const stored = [...hashes].filter(([partition]) => stores(shard, asNodeIndex(index), partition));
    return JSON.stringify(makeVote(nodes[index] as Identity, asCycle(snapshotCycle), new Map(stored)));
  });
  const { netconfig = JSON.stringify({ config: networkConfigOf(settings) }) } = lies;
  const records = lies.records ?? trueChain;
  const evidence = {
    nodeList: listText({ nodeList: rows }, signer),
    cycles: listText(
      { cycleInfo: [...records].reverse() },
      lies.cyclesSigner === undefined ? signer : lies.cyclesSigner,
    ),
    counting: (lies.counting ?? honestCounting) as CountingRules,
    netconfig: netconfig === null ? undefined : Buffer.from(netconfig),
    gossip: votes.map((vote) => Buffer.from(`${vote}\n`)),
  };
  await partial.complete(data, { accounts: 47, bytes }, evidence, emptyRun);
  return await partial.putInPlace();
}

function listText(list: object, signer: Identity | null): Buffer {
  return Buffer.from(JSON.stringify(signer === null ? list : signed(list, signer.privateKey)));
}

/** The node list of an auditor, from another source. */
export function trustedList(directory: string, signer: Identity | null = null): string {
  const path = join(directory, `nodes-${signer?.id ?? "unsigned"}.json`);
  writeFileSync(path, listText({ nodeList: rows }, signer));
  return path;
}
