/** Counts committed votes, and records the agreed hashes of each cycle and the votes that dissent from them. */

import type { Vote } from "../../agreement/admission/admission.ts";
import { dissentingPartitions } from "../../agreement/faults/dissent.ts";
import type { Cycle } from "../../protocol/brands.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../../protocol/partition-hash.ts";
import type { HashDatabase } from "../../store/hash-database/hash-database.ts";
import { counted } from "../../text/counted.ts";
import type { NetworkWatch } from "../network/network-watch.ts";
import type { CollectReporter } from "../reporter.ts";
import { CycleTally } from "./cycle-tally.ts";
import type { CycleWindow } from "./cycle-window.ts";
import type { OffenceLog } from "./offence-log.ts";
import { evidenceOf, type StoredVotes } from "./stored-votes.ts";

export interface VoteCounterContext {
  readonly database: HashDatabase;
  readonly votes: StoredVotes;
  readonly watch: NetworkWatch;
  readonly cycles: CycleWindow;
  readonly offences: OffenceLog;
  readonly hashKey: string;
  readonly signal: AbortSignal;
  readonly reporter: CollectReporter | undefined;
}

export class VoteCounter {
  readonly #context: VoteCounterContext;

  constructor(context: VoteCounterContext) {
    this.#context = context;
  }

  /** Counts the stored votes of cycles whose nodes have become known, or have changed. */
  async countStored(): Promise<void> {
    const { watch, cycles, votes, signal } = this.#context;
    for (const cycle of watch.countable()) {
      const state = cycles.of(cycle);
      const validators = watch.validatorsOf(cycle);
      if (validators === undefined || state.tally?.validators === validators) continue;
      const tally = new CycleTally(validators);
      state.tally = tally;
      for await (const { sender, hashes } of votes.counted(cycle, validators.set)) {
        signal.throwIfAborted();
        tally.count(sender, hashes);
      }
      await this.#conclude(cycle, tally);
    }
  }

  /** Counts votes that were just committed. */
  async count(votes: readonly Vote[]): Promise<void> {
    const { cycles } = this.#context;
    for (const vote of votes) {
      const { tally } = cycles.of(vote.cycle);
      if (tally?.isComplete === true) this.#recordDissent(vote, tally);
      tally?.count(vote.sender, vote.hashes);
    }
    for (const cycle of new Set(votes.map((vote) => vote.cycle))) {
      const { tally } = cycles.of(cycle);
      if (tally !== undefined) await this.#conclude(cycle, tally);
    }
  }

  async #conclude(cycle: Cycle, tally: CycleTally): Promise<void> {
    const { database, hashKey, reporter, votes } = this.#context;
    const agreed = tally.takeAgreed();
    if (agreed.size === 0) return;
    const networkHash = tally.networkHash(hashKey);
    const isNew = networkHash !== undefined && database.networkHash(cycle) !== networkHash;
    database.saveAgreed(cycle, agreed, networkHash);
    if (!isNew) return;
    const { senders, validators } = tally;
    reporter?.report({ type: "agreed", cycle, networkHash, heard: senders, nodes: validators.nodes.length });
    const empty = hashText(EMPTY_PREIMAGE, hashKey);
    if ([...tally.agreed.values()].every((hash) => hash === empty)) {
      const message = `every partition of cycle ${cycle} has the hash of an empty list: this network keeps no account copies`;
      reporter?.report({ type: "warning", message });
    }
    for await (const vote of votes.counted(cycle, validators.set)) this.#recordDissent(vote, tally);
  }

  /** Records a vote that dissents from a majority, as its own signature and the votes of the others prove. */
  #recordDissent(vote: Vote, { agreed, validators }: CycleTally): void {
    const { cycle, sender, hashes } = vote;
    if (!validators.areSettingsProved) return;
    const [partition, ...others] = dissentingPartitions(hashes, agreed);
    if (partition === undefined) return;
    const more = others.length > 0 ? `; it dissents on ${counted(others.length, "more partition")}` : "";
    const detail = `voted for ${hashes.get(partition)}; the agreed hash is ${agreed.get(partition)}${more}`;
    const evidence = evidenceOf(vote);
    this.#context.offences.record([
      { node: sender, kind: "dissenting-vote", cycle, partition, detail, whenMs: Date.now(), evidence },
    ]);
  }
}
