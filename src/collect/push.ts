/** A pushed body: one message, or `{"messages":[…]}`; what became of each, and of the whole. */

import { setImmediate } from "node:timers/promises";
import { AnswerError } from "../merge/answer-error.ts";
import { RecordFramer } from "../merge/record-framer.ts";
import { gossipMessageBytesMax, pushRefusalsMax, pushSliceMs } from "../model/limits.ts";
import { type Answer, refusal } from "./gossip-server.ts";
import type { Intake } from "./intake.ts";
import type { Ledger } from "./ledger.ts";

export interface PushCounts {
  stored: number;
  known: number;
  refused: number;
}

const listStart = /^\s*\{\s*"messages"\s*:/;
const listStartBytesMax = 64;

export class PushDesk {
  readonly #intake: Intake;
  readonly #ledger: Ledger;
  /** Of all pushes so far. */
  readonly totals: PushCounts = { stored: 0, known: 0, refused: 0 };

  constructor(intake: Intake, ledger: Ledger) {
    this.#intake = intake;
    this.#ledger = ledger;
  }

  /**
   * 202 where something was new, 200 where all of it was known, otherwise the first reason to refuse it. By
   * then, what it acknowledges is on the disk.
   *
   * @throws Failure where the disk fails
   */
  async take(body: Buffer, address: string): Promise<Answer> {
    const push = new Push(this.#intake, this.#ledger, address);
    try {
      if (listStart.test(body.toString("latin1", 0, listStartBytesMax))) await push.takeList(body);
      else push.take(body);
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
  readonly #intake: Intake;
  readonly #ledger: Ledger;
  readonly #address: string;
  readonly #saving: Promise<unknown>[] = [];
  #firstRefusal: Answer | undefined;

  constructor(intake: Intake, ledger: Ledger, address: string) {
    this.#intake = intake;
    this.#ledger = ledger;
    this.#address = address;
  }

  take(record: Buffer): void {
    const verdict = this.#intake.check(record.toString("utf8"), this.#address);
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

  async takeList(body: Buffer): Promise<void> {
    const framer = new RecordFramer("messages", { recordBytesMax: gossipMessageBytesMax });
    let sinceMs = performance.now();
    try {
      const records = framer.push(body);
      for (const record of records) {
        this.take(record);
        if (this.counts.refused > pushRefusalsMax) return;
        if (performance.now() - sinceMs < pushSliceMs) continue;
        await setImmediate();
        sinceMs = performance.now();
      }
      framer.end();
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

  async #keep(message: Parameters<Ledger["keep"]>[0]): Promise<void> {
    const outcome = await this.#ledger.keep(message);
    if (outcome === "stored" || outcome === "contradicts") this.counts.stored++;
    else this.counts.known++;
  }

  #refuse(status: number, problem: string): void {
    this.counts.refused++;
    this.#firstRefusal ??= refusal(status, problem);
  }
}
