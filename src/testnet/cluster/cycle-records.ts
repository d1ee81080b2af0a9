/** The cycle records of a cluster (PROTOCOL.md, Cycle records): a chain that begins with cycle 0. */

import { createHash } from "node:crypto";
import { asCycle, asHashHex, type Cycle, type HashHex } from "../../protocol/brands.ts";
import { canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import { cycleMarker } from "../../protocol/cycle-record.ts";
import { Random } from "../state/random.ts";

/** The start of cycle 0 of every static cluster, in seconds. */
export const firstCycleStart = 1_700_000_000;

/** A record names the network hash of the cycle that is this number of cycles earlier: after the gossip of that cycle,
 *  and before most requests for its snapshot. */
export const hashLag = 2;

export interface ChainSettings {
  readonly seed: string;
  /** The number of records. */
  readonly cycles: number;
  /** Seconds. */
  readonly cycleDuration: number;
  readonly activeNodes: number;
  /** The snapshot is the state at the end of this cycle; the record after it is marked. */
  readonly snapshotCycle: Cycle;
  /** The network hash of the snapshot's cycle. */
  readonly networkHash: HashHex;
  readonly networkConfigHash?: HashHex | undefined;
}

export interface ChainedRecord {
  readonly counter: Cycle;
  /** Seconds. */
  readonly start: number;
  readonly duration: number;
  readonly marker: string;
  readonly previous: string;
  readonly networkDataHash: readonly { readonly cycle: Cycle; readonly hash: HashHex }[];
}

/** The records in ascending order of their counters. */
export function makeCycleChain(settings: ChainSettings): ChainedRecord[] {
  const random = Random.named(settings.seed, "hashes of cycles");
  const otherHashes = Array.from({ length: settings.cycles }, () => asHashHex(random.hex(8)));
  const records: ChainedRecord[] = [];
  for (let number = 0; number < settings.cycles; number++) {
    const counter = asCycle(number);
    const named = counter - hashLag;
    const hash = named === settings.snapshotCycle ? settings.networkHash : otherHashes[named];
    const record = {
      counter,
      start: firstCycleStart + counter * settings.cycleDuration,
      networkDataHash: hash === undefined ? [] : [{ cycle: asCycle(named), hash }],
      isMarked: counter === settings.snapshotCycle + 1,
    };
    records.push(chainedRecord(settings, records.at(-1)?.marker, record));
  }
  return records;
}

/** The network's list of transactions, which never changes (PROTOCOL.md, Cycle records). */
export const txList = [
  {
    hash: sha256("a service transaction"),
    tx: { type: "nodeInitReward", involvedAddress: "0".repeat(64), priority: 0 },
  },
];

/** The settings that all records of a chain share. */
export type ChainIdentity = Pick<
  ChainSettings,
  "seed" | "cycleDuration" | "activeNodes" | "networkConfigHash"
>;

/**
 * What a network does: after a restart, validators join, then they fetch the state, and at last it takes transactions.
 */
export type NetworkMode = "restart" | "restore" | "processing";

/** The content of one record. */
export interface RecordContent extends Pick<ChainedRecord, "counter" | "start" | "networkDataHash"> {
  readonly isMarked: boolean;
  readonly mode?: NetworkMode;
  /** The fields that state changes of the nodes; without it, the nodes never change. */
  readonly members?: object;
}

/** Returns the record after the one with the marker `previous`; without it, the first of the chain. */
export function chainedRecord(
  { seed, cycleDuration, activeNodes, networkConfigHash }: ChainIdentity,
  previous: string | undefined,
  { counter, start, networkDataHash, isMarked, mode = "processing", members = {} }: RecordContent,
): ChainedRecord {
  const record = {
    networkId: Random.named(seed, "cycles").hex(8),
    counter,
    previous: previous ?? "0".repeat(64),
    start,
    duration: cycleDuration,
    ...(networkConfigHash === undefined ? {} : { networkConfigHash }),
    mode,
    safetyMode: false,
    safetyNum: 0,
    networkStateHash: "",
    active: activeNodes,
    joined: [],
    lost: [],
    removed: [],
    nodeListHash: sha256(`${seed}/${activeNodes}`),
    txlisthash: hashText(canonicalTextOf(txList)),
    networkDataHash,
    networkReceiptHash: [],
    networkSummaryHash: [],
    ...(isMarked ? { snapshot: true } : {}),
    ...members,
  };
  const marker = cycleMarker(record);
  // The marker does not cover the certificate.
  const certificate = { marker, score: Random.named(seed, "score", counter).below(100) };
  const certified = { ...record, marker, certificate };
  return certified;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
