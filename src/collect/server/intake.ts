/**
 * Admits messages that are pushed or polled for, the cheapest checks first: size, cycle, sender, whether it is known;
 * then what was signed; and only then the signature itself, which costs more than all the rest together.
 */

import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import {
  type Admission,
  type Candidate,
  type Rejection,
  type RejectionReason,
  VoteAdmission,
} from "../../agreement/admission.ts";
import type { KnownVote } from "../../agreement/known-votes.ts";
import { verifiedVotesMax } from "../../limits/limits.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import { signatureHolds } from "../../protocol/crypto/signature.ts";
import { parseJson } from "../../wire/parse.ts";
import { signedContent } from "../../wire/signed-text.ts";
import type { NetworkWatch } from "../network-watch.ts";

const statusOfReason: Readonly<Record<RejectionReason, number>> = {
  "not-json": 400,
  unsigned: 400,
  "other-key": 400,
  stranger: 403,
  "other-cycle": 400,
  limit: 413,
  superfluous: 409,
  malformed: 400,
  misattributed: 400,
  oversized: 413,
};

/** The HTTP status of a push that is rejected. */
export function statusOfRejection({ reason }: Rejection): number {
  return statusOfReason[reason];
}

export class Intake {
  readonly #watch: NetworkWatch;
  readonly #hashKey: string;
  readonly #admission: VoteAdmission;
  /** Prints of records that hold what a known vote is: most messages come again, byte by byte. */
  readonly #same = new Set<string>();

  constructor(watch: NetworkWatch, hashKey: string) {
    this.#watch = watch;
    this.#hashKey = hashKey;
    this.#admission = new VoteAdmission(
      {
        validatorsOf: (cycle) => {
          if (cycle < watch.oldestCycle || cycle > watch.lastCycle) return undefined;
          return (watch.rosterOf(cycle) ?? watch.roster).validators;
        },
        get latest() {
          return watch.roster.validators;
        },
      },
      hashKey,
    );
  }

  /**
   * Everything but the signature.
   *
   * @param record one message as received: too large a one does not even become a string
   */
  screen(record: Buffer): Candidate | Admission {
    const { receivedBytesMax } = this.#watch.roster.validators;
    if (record.length > receivedBytesMax) {
      return rejected("limit", `the message has more than ${receivedBytesMax} bytes`);
    }
    if (!isUtf8(record)) return rejected("not-json", "the message is not UTF-8");
    const text = record.toString("utf8");
    const screened = this.#admission.screen(text);
    if (screened.kind === "duplicate" && !this.#isSame(record, text, screened.vote)) {
      return rejected("unsigned", `a message that is not signed: its signature is over another one`);
    }
    if (screened.kind === "rejected" && screened.reason === "other-cycle") {
      const { oldestCycle, lastCycle } = this.#watch;
      return { ...screened, problem: `its cycle is not one of ${oldestCycle} to ${lastCycle}` };
    }
    return screened;
  }

  conclude(candidate: Candidate, isSigned: boolean): Admission {
    return this.#admission.conclude(candidate, isSigned);
  }

  admit(record: Buffer): Admission {
    const screened = this.screen(record);
    return screened.kind === "candidate" ? this.conclude(screened, signatureHolds(screened.sign)) : screened;
  }

  /** Takes up a vote of the database. */
  remember(vote: KnownVote): void {
    this.#admission.remember(vote);
  }

  /** Forgets a vote that is not kept after all: it is new when it comes again. */
  forget(vote: KnownVote): void {
    this.#admission.forget(vote);
  }

  forgetBefore(cycle: number): void {
    this.#admission.forgetBefore(cycle);
  }

  /** Whether a message is what its known signature is over: whoever brings it is told that it is kept. */
  #isSame(record: Buffer, text: string, { hash }: KnownVote): boolean {
    const print = `${hash} ${createHash("sha256").update(record).digest("base64")}`;
    if (this.#same.has(print)) return true;
    try {
      const content = signedContent(parseJson(text, "the message") as object);
      const isSame = content !== undefined && hashText(content, this.#hashKey) === hash;
      if (isSame) {
        if (this.#same.size >= verifiedVotesMax) this.#same.clear();
        this.#same.add(print);
      }
      return isSame;
    } catch {
      return false;
    }
  }
}

function rejected(reason: RejectionReason, problem: string): Rejection {
  return { kind: "rejected", reason, problem };
}
