/** Handles pushed bodies: one message, or `{"messages":[…]}`. */

import type { Admission, Vote } from "../../agreement/admission/admission.ts";
import { conclude, screen } from "../../agreement/admission/admit.ts";
import type { KnownVotes } from "../../agreement/admission/known-votes.ts";
import { RecordFramer } from "../../canonical/record-framer.ts";
import { ResponseError } from "../../errors/response-error.ts";
import { pushRejectionsMax, pushSliceBytes } from "../../limits/collect.ts";
import { gossipMessageBytesMax } from "../../limits/gossip.ts";
import { isMessageList } from "../../wire/message-list.ts";
import { quoted } from "../../wire/parse.ts";
import type { NetworkWatch } from "../network/network-watch.ts";
import type { OffenceLog } from "../votes/offence-log.ts";
import type { VoteStore } from "../votes/vote-store.ts";
import type { FairExecutor } from "./fair-executor.ts";
import { statusOfAdmission } from "./push-status.ts";
import { type JsonResponse, refusal } from "./response.ts";
import type { SignatureVerifier } from "./signature-verifier.ts";

export interface PushCounts {
  stored: number;
  known: number;
  refused: number;
}

/** How a push is admitted and stored. */
export interface PushContext {
  readonly watch: NetworkWatch;
  readonly seen: KnownVotes;
  readonly executor: FairExecutor;
  readonly signatures: SignatureVerifier;
  readonly store: VoteStore;
  readonly offences: OffenceLog;
  /** Ends pushes that are being handled: their remaining messages are dropped. */
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
   * Responds with 202 if a message is new, with 200 if all are known, and otherwise with the first refusal. By
   * then, the acknowledged messages are on the disk.
   *
   * @throws SnapshotError if the disk fails
   */
  async handle(body: Buffer, address: string): Promise<JsonResponse> {
    const push = new Push(this.#context, address);
    try {
      if (isMessageList(body)) await push.takeList(body);
      else await push.take(body);
      return await push.response();
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
  #firstRefusal: JsonResponse | undefined;

  constructor(context: PushContext, address: string) {
    this.#context = context;
    this.#address = address;
  }

  async take(message: Buffer): Promise<void> {
    const admission = await this.#admit(message);
    if (admission === undefined) {
      this.#refuse(429, "too many signatures wait to be checked");
      return;
    }
    const { store, offences, watch } = this.#context;
    switch (admission.kind) {
      case "new":
      case "equivocation":
        this.#await(this.#keep(admission.vote));
        break;
      case "duplicate":
        this.counts.known++;
        // Another push of the same message may be under way: it is acknowledged only once it is on the disk.
        this.#await(store.saving(admission.vote));
        break;
      case "rejected":
        offences.recordRejection(admission, message, watch.current.areSettingsProved);
        this.#refuse(statusOfAdmission(admission), quoted(admission.problem));
        break;
    }
  }

  /**
   * Takes the messages of a list one after the other: a long list must not delay shorter ones, and the shortest
   * messages take a hundred times their size in memory.
   */
  async takeList(body: Buffer): Promise<void> {
    const framer = new RecordFramer("messages", { recordBytesMax: gossipMessageBytesMax });
    try {
      for (let start = 0; start < body.length; start += pushSliceBytes) {
        const slice = body.subarray(start, start + pushSliceBytes);
        for (const record of await this.#context.executor.run(() => framer.push(slice), this.#address)) {
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

  async response(): Promise<JsonResponse> {
    await Promise.all(this.#saving);
    const { stored, known } = this.counts;
    if (stored + known === 0) return this.#firstRefusal ?? refusal(400, "the list contains no message");
    const problem = this.#firstRefusal === undefined ? {} : this.#firstRefusal.body;
    return { status: stored > 0 ? 202 : 200, body: { ...this.counts, ...problem } };
  }

  /** Returns `undefined` if too many signatures wait to be checked. */
  async #admit(message: Buffer): Promise<Admission | undefined> {
    const { watch, seen, executor, signatures } = this.#context;
    const screened = await executor.run(
      () => screen(message, watch.window, watch.validatorSetOf, seen),
      this.#address,
    );
    if (screened.kind !== "candidate") return screened;
    const checking = signatures.check(screened, this.#address);
    return checking && conclude(screened, await checking, seen);
  }

  async #keep(vote: Vote): Promise<void> {
    const outcome = await this.#context.store.keep(vote);
    switch (outcome) {
      case "stored":
      case "contradicts":
        this.counts.stored++;
        break;
      case "known":
      case "excess":
        this.counts.known++;
        break;
    }
  }

  #await(saved: Promise<unknown> | undefined): void {
    if (saved === undefined) return;
    this.#saving.push(saved);
    saved.catch(() => undefined); // handled where the response awaits it
  }

  #refuse(status: number, problem: string): void {
    this.counts.refused++;
    this.#firstRefusal ??= refusal(status, problem);
  }
}
