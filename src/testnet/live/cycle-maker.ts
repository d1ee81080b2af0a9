/**
 * Begins the cycles of a live cluster: makes the planned changes of its nodes, the record of each cycle, and what the
 * transaction log states of them.
 */

import { asCycle, type Cycle } from "../../protocol/brands.ts";
import type { ChainedRecord, NetworkMode } from "../cluster/cycle-records.ts";
import type { LogEntry } from "../validator/state/log-entry.ts";
import type { LiveChain } from "./live-chain.ts";
import type { LiveValidators } from "./live-validators.ts";
import type { CycleMembers, NetworkMembers } from "./membership/network-members.ts";
import type { MembershipPlan, PlannedChange } from "./membership/planned-change.ts";

/** A change of the nodes by the record of a cycle. `nodes` is their number in that cycle. */
export type MembershipEvent = { readonly validator: number; readonly cycle: number } & (
  | { readonly type: "validator-joined"; readonly id: string; readonly url: string }
  | { readonly type: "validator-activated"; readonly nodes: number }
  | { readonly type: "validator-removed"; readonly nodes: number; readonly isLost: boolean }
);

/** A restarted network reaches its next mode with a cycle: an event of no single validator. */
export interface ModeEvent {
  readonly type: "mode-changed";
  readonly validator: null;
  readonly cycle: number;
  readonly mode: NetworkMode;
}

export interface CycleMakerOptions {
  readonly members: NetworkMembers;
  readonly chain: LiveChain;
  readonly plan: MembershipPlan;
  readonly validators: Pick<LiveValidators, "tryStart" | "kill">;
  /** The number of nodes that have to be active before transactions are taken. */
  readonly nodes: number;
  readonly report: (event: MembershipEvent | ModeEvent) => void;
}

export interface BegunCycle {
  readonly record: ChainedRecord;
  readonly entries: readonly LogEntry[];
  /** Whether transactions are taken from this cycle on, and were not before. */
  readonly isFirstProcessing: boolean;
}

/**
 * Returns the mode of a cycle. By the first record of a restarted network, its nodes join. A network that takes
 * transactions goes on with fewer nodes.
 */
export function modeAfter(
  before: NetworkMode | undefined,
  { active, syncing }: { readonly active: number; readonly syncing: number },
  nodes: number,
): NetworkMode {
  if (before === "processing" || active >= nodes) return "processing";
  return before !== undefined && active + syncing >= nodes ? "restore" : "restart";
}

export class CycleMaker {
  readonly #options: CycleMakerOptions;
  #mode: NetworkMode | undefined;
  /** The first cycle with transactions. The cycles of a plan count from it. */
  #processingFrom: Cycle | undefined;

  constructor(options: CycleMakerOptions) {
    this.#options = options;
  }

  /** Whether the network takes transactions. */
  get isProcessing(): boolean {
    return this.#mode === "processing";
  }

  begin(): BegunCycle {
    const { chain, members, plan, nodes } = this.#options;
    const cycle = chain.next;
    if (this.#processingFrom !== undefined) {
      for (const change of plan.changesAt(asCycle(cycle - this.#processingFrom))) this.#perform(change);
    }
    const changes = members.begin(cycle);
    const mode = modeAfter(this.#mode, { active: changes.active.length, syncing: changes.syncing }, nodes);
    const isFirstProcessing = mode === "processing" && !this.isProcessing;
    if (isFirstProcessing) this.#processingFrom = cycle;
    const record = chain.begin(changes, mode);
    this.#report(cycle, changes, mode);
    this.#mode = mode;
    return { record, entries: changes.entries, isFirstProcessing };
  }

  #perform({ kind, validator }: PlannedChange): void {
    const { members, validators } = this.#options;
    switch (kind) {
      case "join":
        void validators.tryStart(validator).then((member) => member !== undefined && members.ask(member));
        break;
      case "leave":
        members.leave(validator);
        break;
      case "kill":
        validators.kill(validator);
        break;
    }
  }

  #report(cycle: Cycle, { joined, activated, removed, active }: CycleMembers, mode: NetworkMode): void {
    const { report } = this.#options;
    const nodes = active.length;
    for (const { validator, identity, url } of joined) {
      report({ type: "validator-joined", validator, cycle, id: identity.id, url });
    }
    for (const { validator } of activated) report({ type: "validator-activated", validator, cycle, nodes });
    for (const { validator, isLost } of removed) {
      report({ type: "validator-removed", validator, cycle, nodes, isLost });
    }
    // A new network takes transactions from its first cycle on.
    if (mode !== this.#mode && cycle > 0) report({ type: "mode-changed", validator: null, cycle, mode });
  }
}
