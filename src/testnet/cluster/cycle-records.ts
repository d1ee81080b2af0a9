/** The cycle records of a cluster (PROTOCOL.md, Cycle records): a chain from cycle 0 on. */

import { createHash } from "node:crypto";
import { cycleMarker } from "../../protocol/cycle-record.ts";
import { Random } from "../state/random.ts";

/** When cycle 0 of every cluster from a fixture starts, in seconds: the past, and always the same. */
export const firstCycleStart = 1_700_000_000;

/** A record names the network hash of the cycle that lies so many cycles back: later than it was
 *  gossiped, and earlier than anybody asks for a snapshot in earnest. */
export const hashLag = 2;

export interface ChainSettings {
  readonly seed: string;
  /** How many records. */
  readonly cycles: number;
  /** Seconds. */
  readonly cycleDuration: number;
  readonly activeNodes: number;
  /** The snapshot is the state at the end of this cycle; the record after it is marked. */
  readonly snapshotCycle: number;
  /** The network hash of the snapshot's cycle. */
  readonly networkHash: string;
  readonly networkConfigHash?: string | undefined;
}

export interface ChainedRecord {
  readonly counter: number;
  /** Seconds. */
  readonly start: number;
  readonly duration: number;
  readonly marker: string;
  readonly previous: string;
  readonly networkDataHash: readonly { readonly cycle: number; readonly hash: string }[];
}

/** The records in ascending order of their counters. */
export function makeCycleChain(settings: ChainSettings): ChainedRecord[] {
  const random = Random.named(settings.seed, "hashes of cycles");
  const otherHashes = Array.from({ length: settings.cycles }, () => random.hex(8));
  const records: ChainedRecord[] = [];
  for (let counter = 0; counter < settings.cycles; counter++) {
    const named = counter - hashLag;
    const hash = named === settings.snapshotCycle ? settings.networkHash : otherHashes[named];
    const record = {
      counter,
      start: firstCycleStart + counter * settings.cycleDuration,
      networkDataHash: hash === undefined ? [] : [{ cycle: named, hash }],
      isMarked: counter === settings.snapshotCycle + 1,
    };
    records.push(chainedRecord(settings, records.at(-1), record));
  }
  return records;
}

/** What all records of a chain have in common. */
export type ChainIdentity = Pick<
  ChainSettings,
  "seed" | "cycleDuration" | "activeNodes" | "networkConfigHash"
>;

/** What a record says that is its own. */
export interface RecordContent extends Pick<ChainedRecord, "counter" | "start" | "networkDataHash"> {
  readonly isMarked: boolean;
}

/** The record that follows another one, or begins the chain. */
export function chainedRecord(
  { seed, cycleDuration, activeNodes, networkConfigHash }: ChainIdentity,
  previous: ChainedRecord | undefined,
  { counter, start, networkDataHash, isMarked }: RecordContent,
): ChainedRecord {
  const record = {
    networkId: Random.named(seed, "cycles").hex(8),
    counter,
    previous: previous?.marker ?? "0".repeat(64),
    start,
    duration: cycleDuration,
    ...(networkConfigHash === undefined ? {} : { networkConfigHash }),
    mode: "processing",
    safetyMode: false,
    safetyNum: 0,
    networkStateHash: "",
    active: activeNodes,
    joined: [],
    lost: [],
    removed: [],
    nodeListHash: sha256(`${seed}/${activeNodes}`),
    networkDataHash,
    networkReceiptHash: [],
    networkSummaryHash: [],
    ...(isMarked ? { snapshot: true } : {}),
  };
  const marker = cycleMarker(record);
  // Those who signed a record are no part of it: the certificate is left out of the marker.
  const certificate = { marker, score: Random.named(seed, "score", counter).below(100) };
  return { ...record, marker, certificate } as ChainedRecord;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
