/**
 * The cycle chain of a live cluster. Each record names the network hashes that more than half of the validators
 * have told since the one before, of cycles early enough.
 */

import { type ChainedRecord, chainedRecord, hashLag } from "../cluster/cycle-records.ts";
import { networkConfigHashOf } from "../cluster/network-config.ts";
import type { LiveSettings } from "./live-defaults.ts";

/** Records that are kept: more than anybody asks for. */
const recordsMax = 20_000;

/** Cycles of which hashes are still taken. */
const cyclesHeard = 64;

export class LiveChain {
  readonly #settings: LiveSettings;
  readonly #startSeconds: number;
  #records: ChainedRecord[] = [];
  /** Cycle → network hash → validators, by public key. */
  readonly #told = new Map<number, Map<string, Set<string>>>();
  readonly #named = new Set<number>();

  /** @param startSeconds when cycle 0 begins */
  constructor(settings: LiveSettings, startSeconds: number) {
    this.#settings = settings;
    this.#startSeconds = startSeconds;
  }

  get records(): readonly ChainedRecord[] {
    return this.#records;
  }

  /** Takes a validator's word for the network hash of a cycle. */
  tell(cycle: number, networkHash: string, owner: string): void {
    const next = this.#next;
    if (cycle >= next || cycle < next - cyclesHeard || this.#named.has(cycle)) return;
    const hashes = this.#told.get(cycle) ?? new Map<string, Set<string>>();
    // A validator's first word counts.
    if ([...hashes.values()].some((owners) => owners.has(owner))) return;
    hashes.set(networkHash, (hashes.get(networkHash) ?? new Set<string>()).add(owner));
    this.#told.set(cycle, hashes);
  }

  /** Begins the next cycle. */
  begin(): ChainedRecord {
    const counter = this.#next;
    const { cycleDuration, snapshotEvery, nodes } = this.#settings;
    const networkConfigHash = networkConfigHashOf(this.#settings);
    const identity = { ...this.#settings, activeNodes: nodes, networkConfigHash };
    const record = chainedRecord(identity, this.#records.at(-1), {
      counter,
      start: this.#startSeconds + counter * cycleDuration,
      networkDataHash: this.#newHashes(counter - hashLag),
      isMarked: counter > 0 && counter % snapshotEvery === 0,
    });
    this.#records.push(record);
    if (this.#records.length > recordsMax) this.#records = this.#records.slice(-recordsMax);
    return record;
  }

  get #next(): number {
    return (this.#records.at(-1)?.counter ?? -1) + 1;
  }

  #newHashes(lastCycle: number): { cycle: number; hash: string }[] {
    const hashes: { cycle: number; hash: string }[] = [];
    for (const [cycle, told] of [...this.#told].sort(([a], [b]) => a - b)) {
      if (cycle < lastCycle - cyclesHeard) this.#told.delete(cycle);
      if (cycle > lastCycle) continue;
      const agreed = [...told].find(([, owners]) => owners.size * 2 > this.#settings.nodes);
      if (agreed === undefined) continue;
      hashes.push({ cycle, hash: agreed[0] });
      this.#told.delete(cycle);
      this.#named.add(cycle);
    }
    for (const cycle of this.#named) if (cycle < lastCycle - cyclesHeard) this.#named.delete(cycle);
    return hashes;
  }
}
