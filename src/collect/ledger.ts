/**
 * Where messages become votes: takes in what was checked, has it committed, counts it, and writes down what
 * has been agreed on and who dissents.
 */

import { setImmediate } from "node:timers/promises";
import { messageOf } from "../model/failure.ts";
import { hashText } from "../model/hash.ts";
import type { Offence, RecordedOffence } from "../model/offence.ts";
import { EMPTY_PREIMAGE } from "../model/partition-hash.ts";
import type { HashDatabase, SaveOutcome } from "../store/hash-database.ts";
import { parseGossipMessage } from "../wire/gossip-message.ts";
import { type CycleBook, type CycleEntry, type Heard, printOf } from "./cycle-book.ts";
import { CycleTally, dissent, type Hashes } from "./cycle-tally.ts";
import type { CheckedMessage } from "./intake.ts";
import type { NetworkWatch } from "./network-watch.ts";
import type { CollectReporter } from "./reporter.ts";
import { WriteQueue } from "./write-queue.ts";

export interface LedgerContext {
  readonly database: HashDatabase;
  readonly watch: NetworkWatch;
  readonly book: CycleBook;
  readonly hashKey: string;
  readonly reporter: CollectReporter | undefined;
}

export class Ledger {
  readonly #context: LedgerContext;
  readonly #queue: WriteQueue<CheckedMessage>;

  constructor(context: LedgerContext) {
    this.#context = context;
    this.#queue = new WriteQueue((messages) => this.#commit(messages));
  }

  /** Keeps a message. It counts as heard at once; answers what became of it once it is on the disk. */
  async keep(message: CheckedMessage): Promise<SaveOutcome> {
    const { heard } = this.#context.book.entry(message.cycle);
    const before = heard.get(message.sender);
    const saved = this.#queue.add(message);
    const { hash, print } = message;
    const entry: Heard = before ?? { hash, print, contradictingPrint: undefined, saved };
    if (before !== undefined) entry.contradictingPrint = print;
    entry.saved = saved;
    heard.set(message.sender, entry);
    try {
      const outcome = await saved;
      // Another process may have kept a message of this sender before us.
      if (outcome === "contradicts" || outcome === "excess") entry.contradictingPrint ??= print;
      return outcome;
    } catch (error) {
      // It was not kept after all: the next one who brings it is not told that it is known.
      if (before === undefined) heard.delete(message.sender);
      else entry.contradictingPrint = undefined;
      throw error;
    } finally {
      if (entry.saved === saved) entry.saved = undefined;
    }
  }

  /** Takes up what the database holds of the window, and counts cycles whose nodes have become known. */
  async catchUp(): Promise<void> {
    const { watch, book } = this.#context;
    book.dropBefore(watch.oldestCycle);
    for (let cycle = watch.oldestCycle; cycle <= watch.lastCycle; cycle++) {
      if (book.find(cycle) === undefined) await this.#recall(cycle, book.entry(cycle));
    }
    for (const cycle of watch.countable()) {
      const entry = book.entry(cycle);
      const roster = watch.rosterOf(cycle);
      if (entry.tally === undefined && roster !== undefined) {
        entry.tally = new CycleTally(roster);
        await this.#recount(cycle, entry.tally);
        await this.#conclude(cycle, entry.tally);
      }
    }
  }

  /** Writes down what a node did, and tells of it where it is new. */
  accuse(offences: readonly RecordedOffence[]): void {
    for (const offence of this.#context.database.saveOffences(offences)) this.#tell(offence);
  }

  /** Commits what waits. */
  flush(): void {
    this.#queue.flush();
  }

  async #recall(cycle: number, entry: CycleEntry): Promise<void> {
    for await (const { sender, hash, text, isContradicting } of this.#stored(cycle)) {
      const heard = entry.heard.get(sender);
      const print = printOf(text);
      if (heard !== undefined) heard.contradictingPrint = print;
      else if (!isContradicting) {
        entry.heard.set(sender, { hash, print, contradictingPrint: undefined, saved: undefined });
      }
    }
  }

  async #recount(cycle: number, tally: CycleTally): Promise<void> {
    for await (const { sender, text, isContradicting } of this.#stored(cycle)) {
      if (!isContradicting) tally.count(sender, hashesOf(text));
    }
  }

  #commit(messages: readonly CheckedMessage[]): SaveOutcome[] {
    const outcomes = this.#context.database.saveMessages(messages, Date.now());
    const cycles = new Set<number>();
    for (const [index, message] of messages.entries()) {
      if (outcomes[index] === "contradicts") this.#tell(equivocationOf(message));
      if (outcomes[index] === "stored") cycles.add(message.cycle);
    }
    // What is committed is acknowledged, whatever comes of the count: that is made anew at the next start.
    const stored = messages.filter((_, index) => outcomes[index] === "stored");
    void this.#count(stored, cycles).catch((error) => this.#warn(error));
    return outcomes;
  }

  async #count(messages: readonly CheckedMessage[], cycles: ReadonlySet<number>): Promise<void> {
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
    for await (const { sender, text, isContradicting } of this.#stored(cycle)) {
      if (!isContradicting) this.#blame({ cycle, sender, text, hashes: hashesOf(text) }, tally);
    }
  }

  /** A vote against what most have agreed on, proved by its own signature and the votes of the others. */
  #blame(
    { cycle, sender, text, hashes }: Pick<CheckedMessage, "cycle" | "sender" | "text" | "hashes">,
    { agreed, roster }: CycleTally,
  ): void {
    if (!roster.areSettingsProved) return;
    const [partition, ...others] = dissent(hashes, agreed);
    if (partition === undefined) return;
    const more = others.length > 0 ? `, and otherwise than agreed on ${others.length} more partitions` : "";
    const detail = `voted for ${hashes.get(partition)}, agreed is ${agreed.get(partition)}${more}`;
    const evidence = { messages: [JSON.parse(text) as object] };
    this.accuse([
      { node: sender, kind: "dissenting-vote", cycle, partition, detail, whenMs: Date.now(), evidence },
    ]);
  }

  /** A cycle's messages, page by page, with a turn for others between the pages. */
  async *#stored(cycle: number) {
    const { database } = this.#context;
    let page = database.messagesAfter(cycle);
    while (page.length > 0) {
      yield* page;
      await setImmediate();
      page = database.messagesAfter(cycle, page.at(-1));
    }
  }

  #tell({ node, kind, partition, detail }: Offence): void {
    const offence = { node, kind, ...(partition === undefined ? {} : { partition }), detail };
    this.#context.reporter?.report({ type: "offence", offence });
  }

  #warn(error: unknown): void {
    const message = `what was agreed on could not be written down: ${messageOf(error)}`;
    this.#context.reporter?.report({ type: "warning", message });
  }
}

function hashesOf(text: string): Hashes {
  return parseGossipMessage(JSON.parse(text), "the hash database").hashes;
}

function equivocationOf({ sender, cycle }: CheckedMessage): Offence {
  return {
    node: sender,
    kind: "equivocation",
    detail: `two different messages for cycle ${cycle}, both signed`,
  };
}
