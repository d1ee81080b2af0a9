/** The cycle records of a cluster (PROTOCOL.md, Cycle records): a chain from cycle 0 on. */

import { createHash } from "node:crypto";
import { cycleMarker } from "../model/cycle.ts";
import { Random } from "./random.ts";

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
  const random = Random.named(settings.seed, "cycles");
  const networkId = random.hex(8);
  const otherHashes = Array.from({ length: settings.cycles }, () => random.hex(8));
  const nodeListHash = sha256(`${settings.seed}/${settings.activeNodes}`);
  const records: ChainedRecord[] = [];
  for (let counter = 0; counter < settings.cycles; counter++) {
    const named = counter - hashLag;
    const hash = named === settings.snapshotCycle ? settings.networkHash : otherHashes[named];
    const record = {
      networkId,
      counter,
      previous: records.at(-1)?.marker ?? "0".repeat(64),
      start: firstCycleStart + counter * settings.cycleDuration,
      duration: settings.cycleDuration,
      networkConfigHash: sha256(`${settings.seed}/config`),
      mode: "processing",
      safetyMode: false,
      safetyNum: 0,
      networkStateHash: "",
      active: settings.activeNodes,
      joined: [],
      lost: [],
      removed: [],
      nodeListHash,
      networkDataHash: hash === undefined ? [] : [{ cycle: named, hash }],
      networkReceiptHash: [],
      networkSummaryHash: [],
      ...(counter === settings.snapshotCycle + 1 ? { snapshot: true } : {}),
    };
    const marker = cycleMarker(record);
    // Those who signed a record are no part of it: the certificate is left out of the marker.
    records.push({ ...record, marker, certificate: { marker, score: random.below(100) } } as ChainedRecord);
  }
  return records;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
