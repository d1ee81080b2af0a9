/**
 * Follows a network: who is active, which cycle is the newest, and who was active in each of the last cycles.
 * The node list only ever tells who is active now; the changes of later records are undone for earlier cycles.
 */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { collectCyclesAhead, collectCyclesBehind } from "../limits/limits.ts";
import { type CycleRecord, networkConfigHashOf } from "../protocol/cycle-record.ts";
import type { ActiveNode } from "../protocol/node.ts";
import { cycleNodesOf, differentNodes } from "../trust/chain/cycle-nodes.ts";
import type { NetworkOptions } from "../trust/network-options.ts";
import type { NetworkClients } from "../trust/node-addresses.ts";
import { readCycles } from "../trust/read-cycles.ts";
import { readNodeList, requireActiveNodes } from "../trust/read-node-list.ts";
import { findSharding, type Sharding } from "../trust/sharding.ts";
import { quoted } from "../wire/parse.ts";
import { ChainProgress } from "./chain-progress.ts";
import { type CycleValidators, isSameValidators, makeCycleValidators } from "./validator-sets.ts";

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
  #roster: CycleValidators | undefined;
  #newest: CycleRecord | undefined;
  #sharding: Sharding | undefined;
  /** What the newest record says that the settings hash to. */
  #configHash: string | undefined;
  readonly #progress = new ChainProgress();
  /** Cycle → its nodes, within the window. */
  readonly #rosters = new Map<number, CycleValidators>();

  /** @param keepCycles what lies farther back would be forgotten at once */
  constructor(options: NetworkOptions, context: WatchContext, keepCycles: number) {
    this.#options = options;
    this.#context = context;
    this.#cyclesBehind = Math.min(collectCyclesBehind, keepCycles - 1);
  }

  /** Whether the lists have been read. */
  get isRead(): boolean {
    return this.#newest !== undefined;
  }

  /** Those who are active now. */
  get roster(): CycleValidators {
    if (this.#roster === undefined) throw new Error("the network's lists have not been read yet");
    return this.#roster;
  }

  get newest(): CycleRecord {
    if (this.#newest === undefined) throw new Error("the network's lists have not been read yet");
    return this.#newest;
  }

  /** What the network calls itself; empty where its records do not say. */
  get networkId(): string {
    return networkIdOf(this.newest);
  }

  get oldestCycle(): number {
    return Math.max(0, this.newest.counter - this.#cyclesBehind);
  }

  get lastCycle(): number {
    return this.newest.counter + collectCyclesAhead;
  }

  /** The nodes of a cycle, where it is known who they were. */
  rosterOf(cycle: number): CycleValidators | undefined {
    return this.#rosters.get(cycle);
  }

  /** Cycles of the window that are over, and whose nodes are known; the newest first. */
  countable(): number[] {
    return [...this.#rosters.keys()].sort((a, b) => b - a);
  }

  /** Whether validators have confirmed by their gossip what the archiver says is the newest cycle. */
  get isConfirmed(): boolean {
    return this.#progress.isConfirmed;
  }

  /** A validator's own signature holds over a message of that cycle. */
  confirm(cycle: number): void {
    this.#progress.confirm(cycle);
  }

  /**
   * Reads both lists again. Where that fails, everything stays as it was.
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
    if (proposal.kind === "refused") throw strange(`the archiver's cycle records: ${proposal.problem}`);
    // What an answer said that is not believed any more goes with it.
    if (proposal.kind === "jump") this.#rosters.clear();
    if (this.#roster === undefined || !isSameConfig || !isSameValidators(this.#roster, nodes)) {
      this.#roster = makeCycleValidators(nodes, sharding);
    }
    if (!isSameConfig && sharding.againstSnapshots.length > 0) {
      this.#context.warn(`there may be nothing to collect: ${sharding.againstSnapshots.join("; ")}`);
    }
    this.#sharding = sharding;
    this.#configHash = configHash;
    this.#newest = newest;
    this.#assign(records, this.#roster);
  }

  #requireSameNetwork(newest: CycleRecord): void {
    const known = this.#newest;
    if (known === undefined) return;
    const [before, now] = [networkIdOf(known), networkIdOf(newest)];
    if (before !== now)
      throw strange(`the archiver tells of network ${quoted(now)}, and not of ${quoted(before)} any more`);
  }

  #assign(records: readonly CycleRecord[], roster: CycleValidators): void {
    for (const cycle of this.#rosters.keys()) {
      if (cycle < this.oldestCycle || cycle > this.lastCycle) this.#rosters.delete(cycle);
    }
    for (const cycle of records) {
      const { counter } = cycle;
      if (counter < this.oldestCycle) continue;
      // Who is active in the newest cycle is what the newest list says; earlier cycles keep theirs.
      if (this.#rosters.has(counter) && counter !== this.newest.counter) continue;
      const members = cycleNodesOf(roster.nodes, records, cycle);
      const different = differentNodes(members, records, cycle, false);
      if (different === undefined) this.#rosters.set(counter, this.#rosterOf(members.nodes));
      else if (counter === this.newest.counter) {
        this.#context.warn(`${different.message}: cycle ${counter} cannot be counted`);
      }
    }
  }

  /** Most cycles have the same nodes as another one. */
  #rosterOf(nodes: readonly ActiveNode[]): CycleValidators {
    const { sharding } = this.roster;
    const rosters = [this.roster, ...this.#rosters.values()].filter((roster) => roster.sharding === sharding);
    return rosters.find((roster) => isSameValidators(roster, nodes)) ?? makeCycleValidators(nodes, sharding);
  }
}

function networkIdOf({ received }: CycleRecord): string {
  const { networkId } = received;
  return typeof networkId === "string" ? networkId : "";
}

function strange(problem: string): SnapshotError {
  return new SnapshotError("chain", problem, { hint: "Ask another archiver with --archiver." });
}
