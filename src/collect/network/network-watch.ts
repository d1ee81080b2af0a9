/**
 * Follows a network: its active nodes, its newest cycle, and the active nodes of each of the last cycles. The node list
 * only states who is active now; for earlier cycles, the changes of later records are undone.
 */

import type { VoteWindow } from "../../agreement/admission/admit.ts";
import type { ValidatorSet } from "../../agreement/admission/validator-set.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { collectCyclesAhead, collectCyclesBehind } from "../../limits/collect.ts";
import { asCycle, type Cycle, type HashHex } from "../../protocol/brands.ts";
import { type CycleRecord, networkConfigHashOf } from "../../protocol/cycle-record.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { cycleNodesOf, differentNodes } from "../../trust/chain/cycle-nodes.ts";
import type { NetworkOptions } from "../../trust/network-options.ts";
import type { NetworkClients } from "../../trust/node-addresses.ts";
import { readCycles } from "../../trust/read-cycles.ts";
import { readNodeList, requireActiveNodes } from "../../trust/read-node-list.ts";
import { findSharding, type Sharding } from "../../trust/sharding.ts";
import { quoted } from "../../wire/parse.ts";
import { ChainProgress } from "./chain-progress.ts";
import { type CycleValidators, isSameValidators, makeCycleValidators } from "./cycle-validators.ts";

export interface WatchContext {
  readonly clients: NetworkClients;
  readonly hashKey: string;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

export class NetworkWatch {
  readonly #options: NetworkOptions;
  readonly #context: WatchContext;
  readonly #cyclesBehind: number;
  #current: CycleValidators | undefined;
  #newest: CycleRecord | undefined;
  #sharding: Sharding | undefined;
  /** The hash of the settings in the newest record. */
  #configHash: HashHex | undefined;
  readonly #progress = new ChainProgress();
  /** Cycle → its nodes, within the window. */
  readonly #validators = new Map<Cycle, CycleValidators>();

  /** @param keepCycles how many cycles are kept; earlier ones are not watched */
  constructor(options: NetworkOptions, context: WatchContext, keepCycles: number) {
    this.#options = options;
    this.#context = context;
    this.#cyclesBehind = Math.min(collectCyclesBehind, keepCycles - 1);
  }

  /** Whether the lists have been read. */
  get isRead(): boolean {
    return this.#newest !== undefined;
  }

  /** The validators that are active now. */
  get current(): CycleValidators {
    if (this.#current === undefined) throw new Error("the network's lists have not been read yet");
    return this.#current;
  }

  get newest(): CycleRecord {
    if (this.#newest === undefined) throw new Error("the network's lists have not been read yet");
    return this.#newest;
  }

  /** The network's ID; empty if its records have none. */
  get networkId(): string {
    return networkIdOf(this.newest);
  }

  get oldestCycle(): Cycle {
    return asCycle(Math.max(0, this.newest.counter - this.#cyclesBehind));
  }

  get lastCycle(): Cycle {
    return asCycle(this.newest.counter + collectCyclesAhead);
  }

  /** The cycles whose votes are admitted. */
  get window(): VoteWindow {
    return { oldest: this.oldestCycle, newest: this.lastCycle };
  }

  /** Returns the validator set of a cycle; if it is unknown or no cycle is given, the current one. */
  readonly validatorSetOf = (cycle: Cycle | undefined): ValidatorSet => {
    const known = cycle === undefined ? undefined : this.validatorsOf(cycle);
    return (known ?? this.current).set;
  };

  /** Returns the validators of a cycle; `undefined` if they are unknown. */
  validatorsOf(cycle: Cycle): CycleValidators | undefined {
    return this.#validators.get(cycle);
  }

  /** Cycles of the window that are over and whose nodes are known, the newest first. */
  countable(): Cycle[] {
    return [...this.#validators.keys()].sort((a, b) => b - a);
  }

  /** Whether gossip of validators has confirmed the newest cycle that the archiver states. */
  get isConfirmed(): boolean {
    return this.#progress.isConfirmed;
  }

  /** Records that a validator has validly signed a message of that cycle. */
  confirm(cycle: Cycle): void {
    this.#progress.confirm(cycle);
  }

  /**
   * Reads both lists again. If that fails, nothing changes.
   *
   * @throws SnapshotError
   */
  async refresh(): Promise<void> {
    const { clients } = this.#context;
    const lists = { ...this.#context, client: clients.lists };
    const list = await readNodeList(this.#options, lists);
    const { nodes } = list;
    const { records } = await readCycles(this.#options, { kind: "latest" }, lists);
    const newest = records.at(-1);
    requireActiveNodes(list, newest);
    if (newest === undefined) {
      throw new SnapshotError("configuration", "there are no cycle records", {
        hint: "Check the archiver's address, or the file given with --cycles.",
      });
    }
    this.#requireSameNetwork(newest);
    const configHash = networkConfigHashOf(newest);
    const isSameConfig = this.#sharding !== undefined && configHash === this.#configHash;
    const sharding =
      isSameConfig && this.#sharding !== undefined
        ? this.#sharding
        : await findSharding(nodes, this.#options, configHash, { ...this.#context, client: clients.nodes });
    const proposal = this.#progress.propose(newest, Date.now(), performance.now());
    if (proposal.kind === "refused") throw untrusted(`the archiver's cycle records: ${proposal.problem}`);
    // The nodes of a chain that is no longer accepted are forgotten with it.
    if (proposal.kind === "jump") this.#validators.clear();
    if (this.#current === undefined || !isSameConfig || !isSameValidators(this.#current, nodes)) {
      this.#current = makeCycleValidators(nodes, sharding);
    }
    if (!isSameConfig && sharding.againstSnapshots.length > 0) {
      this.#context.warn(`there may be nothing to collect: ${sharding.againstSnapshots.join("; ")}`);
    }
    this.#sharding = sharding;
    this.#configHash = configHash;
    this.#newest = newest;
    this.#assign(records, this.#current);
  }

  #requireSameNetwork(newest: CycleRecord): void {
    const known = this.#newest;
    if (known === undefined) return;
    const [before, now] = [networkIdOf(known), networkIdOf(newest)];
    if (before !== now)
      throw untrusted(`the archiver states the network ${quoted(now)} instead of ${quoted(before)}`);
  }

  #assign(records: readonly CycleRecord[], current: CycleValidators): void {
    for (const cycle of this.#validators.keys()) {
      if (cycle < this.oldestCycle || cycle > this.lastCycle) this.#validators.delete(cycle);
    }
    for (const cycle of records) {
      const { counter } = cycle;
      if (counter < this.oldestCycle) continue;
      // The newest list states the nodes of the newest cycle; earlier cycles keep theirs.
      if (this.#validators.has(counter) && counter !== this.newest.counter) continue;
      const members = cycleNodesOf(current.nodes, records, cycle);
      const different = differentNodes(members, records, cycle, false);
      if (different === undefined) this.#validators.set(counter, this.#made(members.nodes));
      else if (counter === this.newest.counter) {
        this.#context.warn(`${different.message}: cycle ${counter} cannot be counted`);
      }
    }
  }

  /**
   * Returns the validators that these nodes form. Cycles with the same nodes and settings share one object, as most do.
   */
  #made(nodes: readonly ActiveNode[]): CycleValidators {
    const { sharding } = this.current;
    const known = [this.current, ...this.#validators.values()].filter((of) => of.sharding === sharding);
    return known.find((of) => isSameValidators(of, nodes)) ?? makeCycleValidators(nodes, sharding);
  }
}

function networkIdOf({ received }: CycleRecord): string {
  const { networkId } = received;
  return typeof networkId === "string" ? networkId : "";
}

function untrusted(problem: string): SnapshotError {
  return new SnapshotError("chain", problem, { hint: "Use another archiver with --archiver." });
}
