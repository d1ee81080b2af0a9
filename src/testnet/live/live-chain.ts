/**
 * The cycle chain of a live cluster. Each record states the changes of the nodes, and names the network hashes that more
 * than half of the nodes of a cycle have reported since the record before.
 */

import { asCycle, type Cycle, type HashHex, type PublicKey } from "../../protocol/brands.ts";
import { type ChainedRecord, chainedRecord, hashLag, type NetworkMode } from "../cluster/cycle-records.ts";
import { networkConfigHashOf } from "../cluster/network-config.ts";
import type { LiveSettings } from "./live-settings.ts";
import type { CycleMembers } from "./membership/network-members.ts";
import type { CycleStart } from "./transactions/sequencer.ts";

/** The number of records that are kept. */
const recordsMax = 20_000;

/** The number of past cycles of which hashes are accepted. */
const cyclesAccepted = 64;

/** Where a chain begins. */
export interface ChainStart extends CycleStart {
  /** The marker of the record before the first one: a restarted network continues the chain of the one before. */
  readonly previousMarker?: string | undefined;
}

export class LiveChain {
  readonly #settings: LiveSettings;
  readonly #start: ChainStart;
  #mode: NetworkMode | undefined;
  #records: ChainedRecord[] = [];
  /** Cycle → network hash → validators, by public key. */
  readonly #reported = new Map<Cycle, Map<HashHex, Set<PublicKey>>>();
  readonly #named = new Set<Cycle>();
  /** Cycle → the public keys of its nodes. */
  readonly #keys = new Map<Cycle, ReadonlySet<PublicKey>>();

  constructor(settings: LiveSettings, start: ChainStart) {
    this.#settings = settings;
    this.#start = start;
  }

  get records(): readonly ChainedRecord[] {
    return this.#records;
  }

  /** Adds the network hash of a cycle that a node of the cycle reports. */
  addNetworkHash(cycle: Cycle, networkHash: HashHex, owner: PublicKey): void {
    const { next } = this;
    if (cycle >= next || cycle < next - cyclesAccepted || this.#named.has(cycle)) return;
    if (this.#keys.get(cycle)?.has(owner) !== true) return;
    const hashes = this.#reported.get(cycle) ?? new Map<HashHex, Set<PublicKey>>();
    // The first report of a validator counts.
    if ([...hashes.values()].some((owners) => owners.has(owner))) return;
    hashes.set(networkHash, (hashes.get(networkHash) ?? new Set<PublicKey>()).add(owner));
    this.#reported.set(cycle, hashes);
  }

  /** Begins the next cycle, whose number is {@link next}. */
  begin(
    { record: { active, nodeListHash, changes }, active: nodes }: CycleMembers,
    mode: NetworkMode = "processing",
  ): ChainedRecord {
    const counter = this.next;
    const isFinal = this.#mode === "processing";
    this.#mode = mode;
    const { seed, sharding, pace } = this.#settings;
    const { cycleDuration, snapshotEvery } = pace;
    const networkConfigHash = networkConfigHashOf({ ...sharding, cycleDuration });
    const identity = { seed, cycleDuration, activeNodes: active, networkConfigHash };
    this.#keys.set(counter, new Set(nodes.map(({ identity: { publicKey } }) => publicKey)));
    for (const cycle of this.#keys.keys())
      if (cycle <= counter - 2 * cyclesAccepted) this.#keys.delete(cycle);
    const previous = this.#records.at(-1)?.marker ?? this.#start.previousMarker;
    const record = chainedRecord(identity, previous, {
      counter,
      start: this.#start.startSeconds + counter * cycleDuration,
      networkDataHash: this.#newHashes(counter - hashLag),
      // The cycle before is exported: the validators took transactions in it.
      isMarked: isFinal && counter % snapshotEvery === 0,
      mode,
      members: { nodeListHash, ...changes },
    });
    this.#records.push(record);
    if (this.#records.length > recordsMax) this.#records = this.#records.slice(-recordsMax);
    return record;
  }

  /** The number of the next cycle. */
  get next(): Cycle {
    const newest = this.#records.at(-1);
    return newest === undefined ? this.#start.firstCycle : asCycle(newest.counter + 1);
  }

  #newHashes(lastCycle: number): { cycle: Cycle; hash: HashHex }[] {
    const hashes: { cycle: Cycle; hash: HashHex }[] = [];
    for (const [cycle, reported] of [...this.#reported].sort(([a], [b]) => a - b)) {
      if (cycle < lastCycle - cyclesAccepted) this.#reported.delete(cycle);
      if (cycle > lastCycle) continue;
      const agreed = [...reported].find(([, owners]) => owners.size * 2 > (this.#keys.get(cycle)?.size ?? 0));
      if (agreed === undefined) continue;
      hashes.push({ cycle, hash: agreed[0] });
      this.#reported.delete(cycle);
      this.#named.add(cycle);
    }
    for (const cycle of this.#named) if (cycle < lastCycle - cyclesAccepted) this.#named.delete(cycle);
    return hashes;
  }
}
