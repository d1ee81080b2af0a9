/**
 * Reads votes back from the hash database. Each is admitted again before it is counted, proves an offence or is sent:
 * bits flip, and another program may have written into the file.
 */

import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Admission, Deferral, RejectionReason, Vote } from "../../agreement/admission/admission.ts";
import { admit } from "../../agreement/admission/admit.ts";
import { KnownVotes } from "../../agreement/admission/known-votes.ts";
import {
  type UnknownValidatorSet,
  unknownValidatorSet,
  type ValidatorSet,
} from "../../agreement/admission/validator-set.ts";
import { verifiedVotesMax } from "../../limits/collect.ts";
import type { Cycle } from "../../protocol/brands.ts";
import { shortId } from "../../protocol/node.ts";
import type { HashDatabase, StoredMessage } from "../../store/hash-database/hash-database.ts";
import { parseJson } from "../../wire/parse.ts";

/** Votes that are read before other work can run. */
const votesPerTurn = 16;

export class StoredVotes {
  readonly #database: HashDatabase;
  readonly #seen: KnownVotes;
  readonly #warn: (message: string) => void;
  /** Rows that were verified: some are sent again and again. */
  readonly #verified = new Set<string>();

  /**
   * @param seen the votes that a push need not bring again; a damaged one is removed from it
   * @param warn called with a message for each damaged vote
   */
  constructor(database: HashDatabase, seen: KnownVotes, warn: (message: string) => void) {
    this.#database = database;
    this.#seen = seen;
    this.#warn = warn;
  }

  /** Adds the votes of a cycle to those seen. Yields how each was admitted. */
  async *recall(cycle: Cycle, validators: ValidatorSet): AsyncGenerator<Admission, void, void> {
    for await (const stored of this.#rows(cycle)) {
      const admission = this.#admitted(stored, admitRow(stored, validators, this.#seen));
      if (admission !== undefined) yield admission;
    }
  }

  /** Yields the votes of a cycle that count: of each validator the one that arrived first. */
  async *counted(cycle: Cycle, validators: ValidatorSet): AsyncGenerator<Vote, void, void> {
    const seen = this.#newSeen();
    for await (const stored of this.#rows(cycle)) {
      const admission = this.#admitted(stored, admitRow(stored, validators, seen));
      // If the first one is damaged, the one that contradicts it does not take its place.
      if (admission?.kind === "new" && !stored.isContradicting) yield admission.vote;
    }
  }

  /**
   * Yields the texts of a cycle's votes, whose signatures are valid. Whether a validator signed them is left to the
   * reader, because the validator sets of old cycles are unknown. A row that was verified before and has not changed is
   * not verified again.
   */
  async *textsOf(cycle: Cycle): AsyncGenerator<string, void, void> {
    const seen = this.#newSeen();
    for await (const stored of this.#rows(cycle)) {
      const digest = digestOf(stored);
      if (!this.#verified.has(digest)) {
        const admission = this.#admitted(stored, admitRow(stored, unknownValidatorSet, seen));
        if (admission?.kind !== "deferred") continue;
        if (this.#verified.size >= verifiedVotesMax) this.#verified.clear();
        this.#verified.add(digest);
      }
      yield stored.text;
    }
  }

  /** Yields the rows of a cycle. Between two rows, other work can run. */
  async *#rows(cycle: Cycle): AsyncGenerator<StoredMessage, void, void> {
    let read = 0;
    for (const stored of this.#database.messagesOf(cycle)) {
      yield stored;
      if (++read % votesPerTurn === 0) await setImmediate();
    }
  }

  /** Returns the admission of a row, unless the row is damaged. */
  #admitted<T extends Admission | Deferral>(stored: StoredMessage, admission: T): T | undefined {
    if (!isDamaged(stored, admission)) return admission;
    const { cycle, sender } = stored;
    // The next copy of it must not be acknowledged as known.
    this.#seen.delete(stored);
    if (admission.kind !== "rejected") this.#seen.delete(admission.vote);
    this.#warn(
      `the stored message of ${shortId(sender)} for cycle ${cycle} is not what was signed with its key: it does not count, and is replaced when it is received again`,
    );
    return undefined;
  }

  #newSeen(): KnownVotes {
    return new KnownVotes(this.#seen.hashKey);
  }
}

function admitRow(stored: StoredMessage, validators: ValidatorSet, seen: KnownVotes): Admission;
function admitRow(
  stored: StoredMessage,
  validators: UnknownValidatorSet,
  seen: KnownVotes,
): Admission | Deferral;
function admitRow(
  { cycle, text }: StoredMessage,
  validators: ValidatorSet | UnknownValidatorSet,
  seen: KnownVotes,
): Admission | Deferral {
  return admit(text, { oldest: cycle, newest: cycle }, () => validators, seen);
}

/** Returns whether a row is not the vote that was stored in it. */
function isDamaged({ cycle, sender, hash }: StoredMessage, admission: Admission | Deferral): boolean {
  if (admission.kind === "rejected") return isDamage(admission.reason);
  const { vote } = admission;
  return vote.cycle !== cycle || vote.sender !== sender || vote.hash !== hash;
}

/** Returns whether a rejection means damage: every stored vote was admitted once, perhaps by another validator set. */
function isDamage(reason: RejectionReason): boolean {
  switch (reason) {
    case "not-json":
    case "unsigned":
    case "other-key":
    case "other-cycle":
    case "malformed":
      return true;
    case "stranger":
    case "limit":
    case "superfluous":
    case "misattributed":
    case "oversized":
      return false;
  }
}

/** Returns the message of a vote, as evidence. */
export function evidenceOf({ text }: Pick<StoredMessage, "text">): { readonly messages: readonly object[] } {
  return { messages: [parseJson(text, "a stored message") as object] };
}

/** Returns a short text that identifies a row. */
function digestOf({ cycle, sender, hash, text }: StoredMessage): string {
  return createHash("sha256").update(`${cycle} ${sender} ${hash} ${text}`).digest("base64");
}
