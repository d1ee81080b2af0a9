/** A pushed body: one message, or `{"messages":[…]}`; what became of each, and of the whole. */

import { AnswerError } from "../merge/answer-error.ts";
import { RecordFramer } from "../merge/record-framer.ts";
import { gossipMessageBytesMax, pushRefusalsMax } from "../model/limits.ts";
import { type Answer, refusal } from "./gossip-server.ts";
import type { Candidate, CheckedMessage, Intake, Verdict } from "./intake.ts";
import type { Ledger } from "./ledger.ts";
import type { SignatureDesk } from "./signature-desk.ts";
import type { Turns } from "./turns.ts";

export interface PushCounts {
  stored: number;
  known: number;
  refused: number;
}

const listStart = /^\s*\{\s*"messages"\s*:/;
const listStartBytesMax = 64;

/** What a push is judged and kept by. */
export interface PushContext {
  readonly intake: Intake;
  readonly turns: Turns;
  readonly signatures: SignatureDesk;
  readonly ledger: Ledger;
}

export class PushDesk {
  readonly #context: PushContext;
  /** Of all pushes so far. */
  readonly totals: PushCounts = { stored: 0, known: 0, refused: 0 };

  constructor(context: PushContext) {
    this.#context = context;
  }

  /**
   * 202 where something was new, 200 where all of it was known, otherwise the first reason to refuse it. By
   * then, what it acknowledges is on the disk.
   *
   * @throws Failure where the disk fails
   */
  async take(body: Buffer, address: string): Promise<Answer> {
    const push = new Push(this.#context, address);
    try {
      if (listStart.test(body.toString("latin1", 0, listStartBytesMax))) await push.takeList(body);
      else await push.take(body);
      return await push.answer();
    } finally {
      this.totals.stored += push.counts.stored;
      this.totals.known += push.counts.known;
      this.totals.refused += push.counts.refused;
    }
  }
}

class Push {
  readonly counts: PushCounts = { stored: 0, known: 0, refused: 0 };
  readonly #context: PushContext;
  readonly #address: string;
  readonly #saving: Promise<unknown>[] = [];
  #firstRefusal: Answer | undefined;

  constructor(context: PushContext, address: string) {
    this.#context = context;
    this.#address = address;
  }

  async take(record: Buffer): Promise<void> {
    const { intake, turns } = this.#context;
    const screening = await turns.run(() => intake.screen(record.toString("utf8")), this.#address);
    const verdict = screening.kind === "candidate" ? await this.#check(screening.candidate) : screening;
    if (verdict.kind === "refused") {
      this.#refuse(verdict.status, verdict.problem);
      return;
    }
    // Somebody else's push of the same message may still be under way: it is acknowledged only once it is safe.
    const saved = verdict.kind === "known" ? verdict.heard.saved : this.#keep(verdict.message);
    if (verdict.kind === "known") this.counts.known++;
    if (saved === undefined) return;
    this.#saving.push(saved);
    saved.catch(() => undefined); // reported where the answer waits for it
  }

  /** One message after the other, so that a long list does not keep shorter ones waiting. */
  async takeList(body: Buffer): Promise<void> {
    try {
      for (const record of await this.#context.turns.run(() => recordsOf(body), this.#address)) {
        await this.take(record);
        if (this.counts.refused > pushRefusalsMax) return;
      }
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      this.#refuse(400, `the list of messages: ${error.message}`);
    }
  }

  async answer(): Promise<Answer> {
    await Promise.all(this.#saving);
    const { stored, known } = this.counts;
    if (stored + known === 0) return this.#firstRefusal ?? refusal(400, "there is no message in it");
    const problem = this.#firstRefusal === undefined ? {} : this.#firstRefusal.body;
    return { status: stored > 0 ? 202 : 200, body: { ...this.counts, ...problem } };
  }

  async #check(candidate: Candidate): Promise<Verdict> {
    const checking = this.#context.signatures.check(candidate.value, this.#address);
    if (checking !== undefined) return this.#context.intake.judge(candidate, await checking);
    return { kind: "refused", status: 429, problem: "too many signatures wait to be checked" };
  }

  async #keep(message: CheckedMessage): Promise<void> {
    const outcome = await this.#context.ledger.keep(message);
    if (outcome === "stored" || outcome === "contradicts") this.counts.stored++;
    else this.counts.known++;
  }

  #refuse(status: number, problem: string): void {
    this.counts.refused++;
    this.#firstRefusal ??= refusal(status, problem);
  }
}

/** @throws AnswerError */
function recordsOf(body: Buffer): Buffer[] {
  const framer = new RecordFramer("messages", { recordBytesMax: gossipMessageBytesMax });
  const records = framer.push(body);
  framer.end();
  return records;
}
