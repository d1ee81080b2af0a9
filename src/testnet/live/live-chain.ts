/**
 * The cycle chain of a live cluster. Each record states the changes of the nodes, and names the network hashes that more
 * than half of the nodes of a cycle have reported since the record before.
 */

import { asCycle, type Cycle, type HashHex, type PublicKey } from "../../protocol/brands.ts";
import { type ChainedRecord, chainedRecord, hashLag } from "../cluster/cycle-records.ts";
import { networkConfigHashOf } from "../cluster/network-config.ts";
import type { LiveSettings } from "./live-settings.ts";
import type { CycleMembers } from "./membership/network-members.ts";

/** The number of records that are kept. */
const recordsMax = 20_000;

/** The number of past cycles of which hashes are accepted. */
const cyclesAccepted = 64;

export class LiveChain {
  readonly #settings: LiveSettings;
  readonly #startSeconds: number;
  #records: ChainedRecord[] = [];
  /** Cycle → network hash → validators, by public key. */
  readonly #reported = new Map<Cycle, Map<HashHex, Set<PublicKey>>>();
  readonly #named = new Set<Cycle>();
  /** Cycle → the public keys of its nodes. */
  readonly #keys = new Map<Cycle, ReadonlySet<PublicKey>>();

  /** @param startSeconds the start of cycle 0 */
  constructor(settings: LiveSettings, startSeconds: number) {
    this.#settings = settings;
    this.#startSeconds = startSeconds;
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
  begin({ record: { active, nodeListHash, changes }, active: nodes }: CycleMembers): ChainedRecord {
    const counter = this.next;
    const { seed, sharding, pace } = this.#settings;
    const { cycleDuration, snapshotEvery } = pace;
    const networkConfigHash = networkConfigHashOf({ ...sharding, cycleDuration });
    const identity = { seed, cycleDuration, activeNodes: active, networkConfigHash };
    this.#keys.set(counter, new Set(nodes.map(({ identity: { publicKey } }) => publicKey)));
    for (const cycle of this.#keys.keys())
      if (cycle <= counter - 2 * cyclesAccepted) this.#keys.delete(cycle);
    const record = chainedRecord(identity, this.#records.at(-1), {
      counter,
      start: this.#startSeconds + counter * cycleDuration,
      networkDataHash: this.#newHashes(counter - hashLag),
      isMarked: counter > 0 && counter % snapshotEvery === 0,
      members: { nodeListHash, ...changes },
    });
    this.#records.push(record);
    if (this.#records.length > recordsMax) this.#records = this.#records.slice(-recordsMax);
    return record;
  }

  /** The number of the next cycle. */
  get next(): Cycle {
    return asCycle((this.#records.at(-1)?.counter ?? -1) + 1);
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
