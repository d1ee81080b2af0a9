/** Commits admitted votes to the hash database, and hands those that are new to the counter. */

import type { Vote } from "../../agreement/admission/admission.ts";
import type { VoteWindow } from "../../agreement/admission/admit.ts";
import type { KnownVote, KnownVotes } from "../../agreement/admission/known-votes.ts";
import { equivocation } from "../../agreement/faults/fault.ts";
import { messageOf } from "../../errors/snapshot-error.ts";
import type { Cycle, HashHex } from "../../protocol/brands.ts";
import { cyclesFrom } from "../../protocol/cycle-record.ts";
import type { HashDatabase, SaveOutcome } from "../../store/hash-database/hash-database.ts";
import type { NetworkWatch } from "../network/network-watch.ts";
import type { OffenceLog } from "./offence-log.ts";
import type { StoredVotes } from "./stored-votes.ts";
import type { VoteCounter } from "./vote-counter.ts";
import { WriteQueue } from "./write-queue.ts";

export interface VoteStoreContext {
  readonly database: HashDatabase;
  readonly votes: StoredVotes;
  readonly counter: VoteCounter;
  readonly offences: OffenceLog;
  readonly watch: NetworkWatch;
  readonly seen: KnownVotes;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

export class VoteStore {
  readonly #context: VoteStoreContext;
  readonly #queue: WriteQueue<Vote>;
  /** Hash → the commit that is under way. */
  readonly #saving = new Map<HashHex, Promise<SaveOutcome>>();
  /** Cycles of the window whose stored votes are among those seen. */
  readonly #recalled = new Set<Cycle>();

  constructor(context: VoteStoreContext) {
    this.#context = context;
    this.#queue = new WriteQueue((votes) => this.#commit(votes));
  }

  /** Stores an admitted vote. Resolves once it is on the disk. */
  async keep(vote: Vote): Promise<SaveOutcome> {
    const saved = this.#queue.add(vote);
    this.#saving.set(vote.hash, saved);
    try {
      return await saved;
    } catch (error) {
      // It is not stored: the next copy of it must not be acknowledged as known.
      this.#context.seen.delete(vote);
      throw error;
    } finally {
      this.#saving.delete(vote.hash);
    }
  }

  /** Settles once a known vote is on the disk; `undefined` if it is there already. */
  saving({ hash }: KnownVote): Promise<unknown> | undefined {
    return this.#saving.get(hash);
  }

  /** Commits the votes in the queue now. */
  flush(): void {
    this.#queue.flush();
  }

  /** Moves the window: forgets votes of earlier cycles, and recalls the stored votes of cycles that are new in it. */
  async recall({ oldest, newest }: VoteWindow): Promise<void> {
    const { seen, votes, watch, signal } = this.#context;
    seen.dropBefore(oldest);
    for (const cycle of this.#recalled) if (cycle < oldest || cycle > newest) this.#recalled.delete(cycle);
    for (const cycle of cyclesFrom(oldest, newest)) {
      if (this.#recalled.has(cycle)) continue;
      this.#recalled.add(cycle);
      for await (const { kind } of votes.recall(cycle, watch.validatorSetOf(cycle))) {
        signal.throwIfAborted();
        if (kind !== "rejected") watch.confirm(cycle);
      }
    }
  }

  #commit(votes: readonly Vote[]): SaveOutcome[] {
    const { database, watch, offences, counter, warn } = this.#context;
    const outcomes = database.saveMessages(votes, Date.now());
    for (const [index, vote] of votes.entries()) {
      watch.confirm(vote.cycle);
      if (outcomes[index] === "contradicts") offences.report(equivocation(vote));
    }
    // A committed vote is acknowledged, even if counting fails: the next start counts all again.
    const stored = votes.filter((_, index) => outcomes[index] === "stored");
    void counter
      .count(stored)
      .catch((error) => warn(`the agreed hashes could not be written: ${messageOf(error)}`));
    return outcomes;
  }
}
