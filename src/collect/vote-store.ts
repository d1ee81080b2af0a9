/**
 * Where messages become votes: takes in what was checked, has it committed, counts it, and writes down what
 * has been agreed on and who dissents.
 */

import { type Rejection, responsibleFor, type Vote } from "../agreement/admission.ts";
import type { KnownVote } from "../agreement/known-votes.ts";
import { basisOf, type Offence, type RecordedOffence } from "../errors/offence.ts";
import { messageOf } from "../errors/snapshot-error.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../protocol/partition-hash.ts";
import type { HashDatabase, SaveOutcome } from "../store/hash-database/hash-database.ts";
import { counted } from "../text/counted.ts";
import { CycleTally, dissent } from "./cycle-tally.ts";
import type { CycleWindow } from "./cycle-window.ts";
import type { NetworkWatch } from "./network-watch.ts";
import type { CollectReporter } from "./reporter.ts";
import type { Intake } from "./server/intake.ts";
import { evidenceOf, type StoredVote, type StoredVotes } from "./stored-votes.ts";
import { WriteQueue } from "./write-queue.ts";

export interface VoteStoreContext {
  readonly database: HashDatabase;
  readonly votes: StoredVotes;
  readonly watch: NetworkWatch;
  readonly book: CycleWindow;
  readonly intake: Intake;
  readonly hashKey: string;
  readonly signal: AbortSignal;
  readonly reporter: CollectReporter | undefined;
}

export class VoteStore {
  readonly #context: VoteStoreContext;
  readonly #queue: WriteQueue<Vote>;
  /** Hash → until it is committed. */
  readonly #saving = new Map<string, Promise<SaveOutcome>>();
  /** Cycles of the window of which it is known what the database holds. */
  readonly #recalled = new Set<number>();

  constructor(context: VoteStoreContext) {
    this.#context = context;
    this.#queue = new WriteQueue((votes) => this.#commit(votes));
  }

  /** Keeps a vote that was admitted. Resolves to what became of it once it is on the disk. */
  async keep(vote: Vote): Promise<SaveOutcome> {
    const saved = this.#queue.add(vote);
    this.#saving.set(vote.hash, saved);
    try {
      return await saved;
    } catch (error) {
      // It was not kept after all: the next one who brings it is not told that it is known.
      this.#context.intake.forget(vote);
      throw error;
    } finally {
      this.#saving.delete(vote.hash);
    }
  }

  /** Settles when a vote that is known is on the disk; `undefined` where it is already. */
  saving({ hash }: KnownVote): Promise<unknown> | undefined {
    return this.#saving.get(hash);
  }

  /** Takes up what the database holds of the window, and counts cycles whose nodes have become known. */
  async catchUp(): Promise<void> {
    const { watch, book, intake, signal } = this.#context;
    const { oldestCycle, lastCycle } = watch;
    book.keepOnly(oldestCycle, lastCycle);
    intake.forgetBefore(oldestCycle);
    for (const cycle of this.#recalled) {
      if (cycle < oldestCycle || cycle > lastCycle) this.#recalled.delete(cycle);
    }
    for (let cycle = oldestCycle; cycle <= lastCycle; cycle++) {
      if (this.#recalled.has(cycle)) continue;
      this.#recalled.add(cycle);
      for await (const vote of this.#context.votes.of(cycle)) {
        signal.throwIfAborted();
        if (this.#isForeign(vote)) continue;
        intake.remember(vote);
        watch.confirm(cycle);
      }
    }
    for (const cycle of watch.countable()) {
      const entry = book.entry(cycle);
      const roster = watch.rosterOf(cycle);
      if (roster === undefined || entry.tally?.roster === roster) continue;
      const tally = new CycleTally(roster);
      entry.tally = tally;
      for await (const vote of this.#context.votes.of(cycle)) {
        signal.throwIfAborted();
        if (!vote.isContradicting && this.#isOfRoster(vote, tally)) tally.count(vote.sender, vote.hashes);
      }
      await this.#conclude(cycle, tally);
    }
  }

  /** Writes down what a node did, and tells of it where it is new. */
  accuse(offences: readonly RecordedOffence[]): void {
    for (const offence of this.#context.database.saveOffences(offences)) this.#tell(offence);
  }

  /** Writes down a message that is no vote and carries a validator's own signature. */
  convict({ reason, problem, sender }: Rejection, record: Buffer): void {
    if (responsibleFor(reason) !== "signer" || sender === undefined) return;
    // How large a vote may be depends on the settings as well.
    if (reason === "oversized" && !this.#context.watch.roster.areSettingsProved) return;
    const evidence = evidenceOf({ text: record.toString("utf8") });
    this.accuse([{ node: sender, kind: "invalid-vote", detail: problem, whenMs: Date.now(), evidence }]);
  }

  /** Commits what waits. */
  flush(): void {
    this.#queue.flush();
  }

  /** Whether a stored vote is signed with another key than its sender has, as far as that is known. */
  #isForeign({ cycle, sender, owner }: StoredVote): boolean {
    const { watch } = this.#context;
    const key = (watch.rosterOf(cycle) ?? watch.roster).validators.keyOf.get(sender);
    return key !== undefined && key !== owner.toLowerCase();
  }

  #isOfRoster({ sender, owner }: StoredVote, { roster }: CycleTally): boolean {
    return roster.validators.keyOf.get(sender) === owner.toLowerCase();
  }

  #commit(messages: readonly Vote[]): SaveOutcome[] {
    const outcomes = this.#context.database.saveMessages(messages, Date.now());
    const cycles = new Set<number>();
    for (const [index, message] of messages.entries()) {
      this.#context.watch.confirm(message.cycle);
      if (outcomes[index] === "contradicts") this.#tell(equivocationOf(message));
      if (outcomes[index] === "stored") cycles.add(message.cycle);
    }
    // What is committed is acknowledged, whatever comes of the count: that is made anew at the next start.
    const stored = messages.filter((_, index) => outcomes[index] === "stored");
    void this.#count(stored, cycles).catch((error) => this.#warn(error));
    return outcomes;
  }

  async #count(messages: readonly Vote[], cycles: ReadonlySet<number>): Promise<void> {
    const { book } = this.#context;
    for (const message of messages) {
      const { tally } = book.entry(message.cycle);
      if (tally?.isComplete === true) this.#blame(message, tally);
      tally?.count(message.sender, message.hashes);
    }
    for (const cycle of cycles) {
      const { tally } = book.entry(cycle);
      if (tally !== undefined) await this.#conclude(cycle, tally);
    }
  }

  async #conclude(cycle: number, tally: CycleTally): Promise<void> {
    const { database, hashKey, reporter } = this.#context;
    const agreed = tally.takeAgreed();
    if (agreed.size === 0) return;
    const networkHash = tally.networkHash(hashKey);
    const isNews = networkHash !== undefined && database.networkHash(cycle) !== networkHash;
    database.saveAgreed(cycle, agreed, networkHash);
    if (!isNews) return;
    const { heard, roster } = tally;
    reporter?.report({ type: "agreed", cycle, networkHash, heard, nodes: roster.nodes.length });
    const empty = hashText(EMPTY_PREIMAGE, hashKey);
    if ([...tally.agreed.values()].every((hash) => hash === empty)) {
      const message = `every partition of cycle ${cycle} has the hash of an empty list: this network keeps no account copies`;
      reporter?.report({ type: "warning", message });
    }
    for await (const vote of this.#context.votes.of(cycle)) {
      if (!vote.isContradicting && this.#isOfRoster(vote, tally)) this.#blame(vote, tally);
    }
  }

  /** A vote against what most have agreed on, proved by its own signature and the votes of the others. */
  #blame(vote: Vote, { agreed, roster }: CycleTally): void {
    const { cycle, sender, hashes } = vote;
    if (!roster.areSettingsProved) return;
    const [partition, ...others] = dissent(hashes, agreed);
    if (partition === undefined) return;
    const more =
      others.length > 0 ? `, and otherwise than agreed on ${counted(others.length, "more partition")}` : "";
    const detail = `voted for ${hashes.get(partition)}, agreed is ${agreed.get(partition)}${more}`;
    const evidence = evidenceOf(vote);
    this.accuse([
      { node: sender, kind: "dissenting-vote", cycle, partition, detail, whenMs: Date.now(), evidence },
    ]);
  }

  #tell({ node, kind, partition, detail }: Offence): void {
    const where = partition === undefined ? {} : { partition };
    const offence = { node, kind, ...where, detail, basis: basisOf(kind) };
    this.#context.reporter?.report({ type: "offence", offence });
  }

  #warn(error: unknown): void {
    const message = `what was agreed on could not be written down: ${messageOf(error)}`;
    this.#context.reporter?.report({ type: "warning", message });
  }
}

function equivocationOf({ sender, cycle }: Vote): Offence {
  return {
    node: sender,
    kind: "equivocation",
    detail: `two different messages for cycle ${cycle}, both signed`,
  };
}
