/**
 * Admits votes: decides what one received gossip message is worth (PROTOCOL.md, Partition gossip). The assembler,
 * the collector, the validators and `verify` all decide it here.
 *
 *     const admission = new VoteAdmission({ validatorsOf, latest }, hashKey);
 *     switch (admission.admit(text).kind) { case "new": case "duplicate": case "equivocation": case "rejected": }
 *
 * - {@link VoteAdmission.admit} decides at once; {@link VoteAdmission.screen} and {@link VoteAdmission.conclude}
 *   are its two halves for a caller that checks signatures elsewhere, and {@link VoteAdmission.admitAsync} for one
 *   that checks them on other threads.
 * - {@link responsibleFor} says whose doing a rejected message is: its signer's, that of the node which passed it on,
 *   or nobody's. An offence follows from nothing else.
 * - {@link VoteAdmission.remember} takes up what is known from elsewhere, such as a database;
 *   {@link VoteAdmission.forget} takes back a vote that could not be kept.
 *
 * What is signed is the canonical text of the message without its `sign`. So that text alone says what the vote is:
 * whatever else a relay added (keys that the network's parser drops, keys inside `sign`, white space, another order)
 * changes neither the vote nor its identity, which is the hash that is signed.
 */

import { isHex64 } from "../protocol/address.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import {
  claimedHash,
  type Sign,
  signatureHolds,
  signatureHoldsAsync,
  signOf,
} from "../protocol/crypto/signature.ts";
import { shortId } from "../protocol/node.ts";
import { type GossipMessage, parseGossipMessage } from "../wire/gossip-message.ts";
import { crossedBound } from "../wire/json-bounds.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import { lineOf, type SignedText, signedContent } from "../wire/signed-text.ts";
import { type KnownVote, KnownVotes, NO_CYCLE, type SeenCopy } from "./known-votes.ts";
import type { ValidatorSet } from "./validator-set.ts";

export interface AdmissionRules {
  /** The validators of a cycle; `undefined` where its votes are not wanted. */
  validatorsOf(cycle: number): ValidatorSet | undefined;
  /** Those whose signatures count under a message that does not say which cycle it is of. */
  readonly latest: ValidatorSet;
}

/** A vote that counts, or that proves an equivocation. */
export interface Vote {
  readonly cycle: number;
  /** The sender's node ID. */
  readonly sender: string;
  /** The hash that is signed: two messages are the same vote where it is the same. */
  readonly hash: string;
  /** One line that holds by itself: the message as received, unless somebody on its way has made it longer. */
  readonly text: string;
  /** Partition → hash. */
  readonly hashes: ReadonlyMap<number, string>;
}

/**
 * Why a message is not a vote that counts.
 *
 * - `not-json`: no JSON text of an object.
 * - `unsigned`: no validator's signature holds over it.
 * - `other-key`: in a validator's name, and signed with a key that the node list does not have: somebody has made it up,
 *   or the list has another key for that validator than the network.
 * - `stranger`: of somebody who is no validator of that cycle, which may have been one.
 * - `other-cycle`: of a cycle whose votes are not wanted.
 * - `limit`: it crosses a bound of ours, so that nothing can be said of its signature.
 * - `superfluous`: its sender is convicted already; nothing more of it is looked at.
 * - `malformed`: a validator's own signature holds over what is no gossip message of it.
 * - `misattributed`: a validator's own signature holds over a message in the name of another one.
 * - `oversized`: a validator's own signature holds over more than the partitions that it stores could need.
 */
export type RejectionReason =
  | "not-json"
  | "unsigned"
  | "other-key"
  | "stranger"
  | "other-cycle"
  | "limit"
  | "superfluous"
  | "malformed"
  | "misattributed"
  | "oversized";

export interface Rejection {
  readonly kind: "rejected";
  readonly reason: RejectionReason;
  readonly problem: string;
  /** The validator whose signature holds over it; where none does, the one in whose name it is. */
  readonly sender?: string;
}

export type Admission =
  | { readonly kind: "new"; readonly vote: Vote }
  | { readonly kind: "duplicate"; readonly vote: KnownVote }
  /** The sender's second, different vote of a cycle: evidence, and not counted. */
  | { readonly kind: "equivocation"; readonly vote: Vote; readonly first: KnownVote }
  | Rejection;

/** A message that is all right but for its signature, which has not been checked. */
export interface Candidate {
  readonly kind: "candidate";
  readonly sign: Sign;
  readonly copy: SeenCopy;
  /** What it is if the signature holds: a vote, or a message that convicts its signer. */
  readonly claim: { readonly kind: "new"; readonly vote: Vote } | (Rejection & { readonly sender: string });
  /** As the message says, where it does. */
  readonly cycle: number;
}

/** Whose doing a rejected message is; `signing-relay` where it is of a node that has passed on its own forgery. */
export function responsibleFor(reason: RejectionReason): "signer" | "relay" | "signing-relay" | "nobody" {
  switch (reason) {
    case "misattributed":
      return "signing-relay";
    case "malformed":
    case "oversized":
      return "signer";
    // An honest node passes on only what it has verified.
    case "not-json":
    case "unsigned":
    case "other-key":
      return "relay";
    // A node that has left, a cycle that is over, a bound that is ours alone: an honest node may well pass it on.
    case "stranger":
    case "other-cycle":
    case "limit":
    case "superfluous":
      return "nobody";
  }
}

/** `,"sign":{"owner":"…","sig":"…"}`, which the signature is not over. */
const SIGN_BYTES_MAX = 300;

export class VoteAdmission {
  readonly #rules: AdmissionRules;
  readonly #hashKey: string | undefined;
  readonly #known = new KnownVotes();

  constructor(rules: AdmissionRules, hashKey?: string) {
    this.#rules = rules;
    this.#hashKey = hashKey;
  }

  /** @param text one message as received */
  admit(text: string): Admission {
    const screened = this.screen(text);
    return screened.kind === "candidate" ? this.conclude(screened, signatureHolds(screened.sign)) : screened;
  }

  /** @param check whether a signature holds for its owner and its own hash; by default on another thread */
  async admitAsync(text: string, check = signatureHoldsAsync): Promise<Admission> {
    const screened = this.screen(text);
    return screened.kind === "candidate" ? this.conclude(screened, await check(screened.sign)) : screened;
  }

  /** Everything but the signature, which costs more than all the rest; the cheapest checks first. */
  screen(text: string): Candidate | Admission {
    const { receivedBytesMax, jsonBounds } = this.#rules.latest;
    if (Buffer.byteLength(text) > receivedBytesMax) {
      return rejected("limit", `the message has more than ${receivedBytesMax} bytes`);
    }
    // Most messages come again and again, letter for letter.
    const textHash = hashText(text, this.#hashKey);
    const known = this.#known.withText(textHash);
    if (known !== undefined) return { kind: "duplicate", vote: known };
    try {
      const object = parseJson(text, "the message", jsonBounds);
      if (typeof object === "object" && object !== null) return this.#screenObject(object, text, textHash);
      return rejected("not-json", "the message is not an object");
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const isOurBound = crossedBound(text, jsonBounds) !== undefined;
      return rejected(isOurBound ? "limit" : "not-json", error.message);
    }
  }

  /**
   * What a candidate comes to. What is known is looked up again: the same message may have come while its signature
   * was checked.
   */
  conclude({ claim, copy, cycle: ofCycle }: Candidate, isSigned: boolean): Admission {
    if (!isSigned) return unsigned(claim.kind === "new" ? claim.vote.sender : claim.sender);
    if (claim.kind === "rejected") {
      return this.#known.convict(ofCycle, claim.sender) ? claim : superfluous(claim.sender);
    }
    const { cycle, sender, hash } = claim.vote;
    const known = this.#known.withHash(hash);
    if (known !== undefined) {
      this.#known.addCopy(known, copy);
      return { kind: "duplicate", vote: known };
    }
    const [first, second] = this.#known.of(cycle, sender);
    if (second !== undefined) return superfluous(sender);
    this.#known.add(claim.vote);
    this.#known.addCopy(claim.vote, copy);
    return first === undefined ? claim : { kind: "equivocation", vote: claim.vote, first };
  }

  /** Takes up a vote that was admitted before: the first of its sender and cycle, or one that contradicts it. */
  remember(vote: KnownVote): void {
    this.#known.add(vote);
  }

  /** Takes back a vote that could not be kept: who brings it next is not told that it is known. */
  forget(vote: KnownVote): void {
    this.#known.delete(vote);
  }

  /** Forgets earlier cycles. */
  forgetBefore(cycle: number): void {
    this.#known.dropBefore(cycle);
  }

  #screenObject(object: object, text: string, textHash: string): Candidate | Admission {
    const { cycle, sender } = object as { cycle?: unknown; sender?: unknown };
    const ofCycle = Number.isSafeInteger(cycle) && Number(cycle) >= 0 ? Number(cycle) : NO_CYCLE;
    const validators = ofCycle >= 0 ? this.#rules.validatorsOf(ofCycle) : this.#rules.latest;
    if (validators === undefined) return rejected("other-cycle", `cycle ${ofCycle} is not wanted`);
    const named = typeof sender === "string" && validators.keyOf.has(sender) ? sender : undefined;
    const sign = signOf(object);
    if (sign === undefined) return unsigned(named);
    const signer = validators.idOf.get(sign.owner);
    if (signer === undefined) return named === undefined ? stranger() : otherKey(named);
    // A node that has left and come back has another ID, and may have the same key.
    if (isHex64(sender) && named === undefined) return stranger();
    const content = signedContent(object);
    if (content === undefined) return rejected("limit", "the message has no canonical text", named);
    const hash = claimedHash(sign);
    if (hashText(content, this.#hashKey) !== hash) return unsigned(named ?? signer);
    const copy = { textHash, sig: sign.sig };
    const known = this.#known.withHash(hash);
    if (known !== undefined && this.#known.isKnownSignature(hash, sign.sig)) {
      this.#known.addCopy(known, copy);
      return { kind: "duplicate", vote: known };
    }
    const claim = this.#claimOf({ text, content, sign }, signer, validators);
    // A bound that its text crosses needs no signature.
    if (claim.kind === "rejected" && claim.reason === "limit") return claim;
    const isSuperfluous =
      claim.kind === "new"
        ? known === undefined && this.#known.of(ofCycle, signer).length > 1
        : this.#known.isConvicted(ofCycle, signer);
    if (isSuperfluous) return superfluous(signer);
    return { kind: "candidate", sign, copy, cycle: ofCycle, claim };
  }

  /** What a message is if its signature holds. */
  #claimOf(signed: SignedText, signer: string, validators: ValidatorSet): Candidate["claim"] {
    const { voteBytesMax } = validators;
    const convict = (reason: "malformed" | "misattributed" | "oversized", problem: string) =>
      rejected(reason, `${shortId(signer)} has signed ${problem}`, signer);
    if (Buffer.byteLength(signed.content) > voteBytesMax) {
      return convict("oversized", `${Buffer.byteLength(signed.content)} bytes, more than ${voteBytesMax}`);
    }
    let message: GossipMessage;
    try {
      message = parseGossipMessage(parseJson(signed.content, "its message"), "its message");
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return convict("malformed", `what is no gossip message: ${error.message}`);
    }
    const { cycle, sender, hashes } = message;
    if (sender !== signer) return convict("misattributed", `a message in the name of ${shortId(sender)}`);
    const line = lineOf(signed, this.#hashKey);
    if (Buffer.byteLength(line) > voteBytesMax + SIGN_BYTES_MAX) {
      return rejected("limit", `the message has more than ${voteBytesMax} bytes as it came`, sender);
    }
    return { kind: "new", vote: { cycle, sender, hash: claimedHash(signed.sign), text: line, hashes } };
  }
}

function rejected(reason: RejectionReason, problem: string, sender: string): Rejection & { sender: string };
function rejected(reason: RejectionReason, problem: string, sender?: string): Rejection;
function rejected(reason: RejectionReason, problem: string, sender?: string): Rejection {
  return { kind: "rejected", reason, problem, ...(sender === undefined ? {} : { sender }) };
}

function unsigned(sender?: string): Rejection {
  const problem =
    sender === undefined
      ? "a message that no validator has signed"
      : `a message in the name of ${shortId(sender)} that is not signed with its key`;
  return rejected("unsigned", problem, sender);
}

function otherKey(named: string): Rejection {
  const problem = `a message in the name of ${shortId(named)} that is not signed with its key`;
  return rejected("other-key", problem, named);
}

function stranger(): Rejection {
  return rejected("stranger", "a message of a node that is no validator of its cycle");
}

function superfluous(sender: string): Rejection {
  return rejected(
    "superfluous",
    `one more message of ${shortId(sender)}, which is convicted already`,
    sender,
  );
}
