/** A pushed body: one message, or `{"messages":[…]}`; what became of each, and of the whole. */

import type { Admission, Vote } from "../../agreement/admission.ts";
import { RecordFramer } from "../../canonical/record-framer.ts";
import { ResponseError } from "../../errors/response-error.ts";
import { gossipMessageBytesMax, pushRejectionsMax, pushSliceBytes } from "../../limits/limits.ts";
import { quoted } from "../../wire/parse.ts";
import type { VoteStore } from "../vote-store.ts";
import type { FairExecutor } from "./fair-executor.ts";
import { type Answer, refusal } from "./gossip-server.ts";
import { type Intake, statusOfRejection } from "./intake.ts";
import type { SignatureVerifier } from "./signature-verifier.ts";

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
  readonly turns: FairExecutor;
  readonly signatures: SignatureVerifier;
  readonly ledger: VoteStore;
  /** Ends what is being taken: the rest is not kept any more. */
  readonly signal: AbortSignal;
}

export class PushHandler {
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
   * @throws SnapshotError where the disk fails
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
    const { intake, turns, ledger } = this.#context;
    const screened = await turns.run(() => intake.screen(record), this.#address);
    let admission: Admission;
    if (screened.kind === "candidate") {
      const checking = this.#context.signatures.check(screened, this.#address);
      if (checking === undefined) {
        this.#refuse(429, "too many signatures wait to be checked");
        return;
      }
      admission = intake.conclude(screened, await checking);
    } else admission = screened;
    if (admission.kind === "rejected") {
      ledger.convict(admission, record);
      this.#refuse(statusOfRejection(admission), quoted(admission.problem));
      return;
    }
    // Somebody else's push of the same message may still be under way: it is acknowledged only once it is safe.
    const saved = admission.kind === "duplicate" ? ledger.saving(admission.vote) : this.#keep(admission.vote);
    if (admission.kind === "duplicate") this.counts.known++;
    if (saved === undefined) return;
    this.#saving.push(saved);
    saved.catch(() => undefined); // reported where the answer waits for it
  }

  /**
   * One message after the other, so that a long list does not keep shorter ones waiting, and none before the one
   * before it is judged: the shortest are a hundredth of what they take up in memory.
   */
  async takeList(body: Buffer): Promise<void> {
    const framer = new RecordFramer("messages", { recordBytesMax: gossipMessageBytesMax });
    try {
      for (let start = 0; start < body.length; start += pushSliceBytes) {
        const slice = body.subarray(start, start + pushSliceBytes);
        for (const record of await this.#context.turns.run(() => framer.push(slice), this.#address)) {
          await this.take(record);
          if (this.counts.refused > pushRejectionsMax || this.#context.signal.aborted) return;
        }
      }
      framer.end();
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error;
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

  async #keep(vote: Vote): Promise<void> {
    const outcome = await this.#context.ledger.keep(vote);
    if (outcome === "stored" || outcome === "contradicts") this.counts.stored++;
    else this.counts.known++;
  }

  #refuse(status: number, problem: string): void {
    this.counts.refused++;
    this.#firstRefusal ??= refusal(status, problem);
  }
}
