/**
 * Admits votes: decides whether a gossip message counts as a vote (PROTOCOL.md, Partition gossip), received or stored.
 * The assembler, the collector, the validators and `verify` all decide it here.
 *
 *     switch (admit(text, window, validatorSetOf, seen).kind) {
 *       case "new": case "duplicate": case "equivocation": case "rejected":
 *     }
 *
 * {@link admit} decides at once. {@link screen} and {@link conclude} are its two halves, for a caller that checks
 * signatures elsewhere. {@link admitAsync} is for a caller that checks them on other threads.
 *
 * Of a cycle whose validator set may be unknown, such as that of a vote in an old database, {@link admit} also returns
 * `deferred`: the signature is valid, and its signer is not known yet.
 *
 * What is signed is the canonical text of the message without its `sign`. That text alone is the vote. Whatever else
 * a relay added (keys that the network's parser drops, keys inside `sign`, white space, another order) changes
 * neither the vote nor its identity, which is the hash that is signed.
 */

import { isUtf8 } from "node:buffer";
import { type Cycle, type HashHex, isCycle, isNodeId, type NodeId } from "../../protocol/brands.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import {
  claimedHash,
  type Sign,
  signatureHolds,
  signatureHoldsAsync,
  signOf,
} from "../../protocol/crypto/signature.ts";
import { shortId } from "../../protocol/node.ts";
import { exceededBound } from "../../wire/json-bounds.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import { signedContent } from "../../wire/signed-text.ts";
import {
  type Admission,
  type Candidate,
  type Deferral,
  type DeferredCandidate,
  type Rejection,
  rejected,
} from "./admission.ts";
import { type KnownVotes, NO_CYCLE } from "./known-votes.ts";
import { claimOf, deferralOf } from "./signed-claim.ts";
import type { PossibleSetOf, UnknownValidatorSet, ValidatorSetOf } from "./validator-set.ts";

/** The cycles whose votes are admitted, from the oldest to the newest. */
export interface VoteWindow {
  readonly oldest: Cycle;
  readonly newest: Cycle;
}

/** One message as received. Its bytes are decoded only if they are within the bound. */
export type Received = string | Buffer;

/** @param seen what was admitted before; the vote is added to it */
export function admit(
  received: Received,
  window: VoteWindow,
  validatorSetOf: ValidatorSetOf,
  seen: KnownVotes,
): Admission;
export function admit(
  received: Received,
  window: VoteWindow,
  validatorSetOf: PossibleSetOf,
  seen: KnownVotes,
): Admission | Deferral;
export function admit(
  received: Received,
  window: VoteWindow,
  validatorSetOf: PossibleSetOf,
  seen: KnownVotes,
): Admission | Deferral {
  const screened = screen(received, window, validatorSetOf, seen);
  switch (screened.kind) {
    case "candidate":
      return conclude(screened, signatureHolds(screened.sign), seen);
    case "deferred-candidate":
      return signatureHolds(screened.sign) ? screened.claim : unsigned(screened.claim.vote.sender);
    default:
      return screened;
  }
}

/** @param check returns whether a signature is valid for its owner and its own hash; by default on another thread */
export async function admitAsync(
  received: Received,
  window: VoteWindow,
  validatorSetOf: ValidatorSetOf,
  seen: KnownVotes,
  check: (sign: Sign) => Promise<boolean> = signatureHoldsAsync,
): Promise<Admission> {
  const screened = screen(received, window, validatorSetOf, seen);
  return screened.kind === "candidate" ? conclude(screened, await check(screened.sign), seen) : screened;
}

/** Checks everything but the signature, which costs more than all the rest; the cheapest checks first. */
export function screen(
  received: Received,
  window: VoteWindow,
  validatorSetOf: ValidatorSetOf,
  seen: KnownVotes,
): Candidate | Admission;
export function screen(
  received: Received,
  window: VoteWindow,
  validatorSetOf: PossibleSetOf,
  seen: KnownVotes,
): Candidate | DeferredCandidate | Admission;
export function screen(
  received: Received,
  window: VoteWindow,
  validatorSetOf: PossibleSetOf,
  seen: KnownVotes,
): Candidate | DeferredCandidate | Admission {
  const { receivedBytesMax, jsonBounds } = validatorSetOf(undefined);
  if (Buffer.byteLength(received) > receivedBytesMax) {
    return rejected("limit", `the message has more than ${receivedBytesMax} bytes`);
  }
  if (typeof received !== "string" && !isUtf8(received)) {
    return rejected("not-json", "the message is not UTF-8");
  }
  const text = received.toString();
  // Most messages arrive repeatedly, byte for byte the same.
  const textHash = hashText(text, seen.hashKey);
  const known = seen.withText(textHash);
  if (known !== undefined) return { kind: "duplicate", vote: known };
  try {
    const object = parseJson(text, "the message", jsonBounds);
    if (typeof object === "object" && object !== null) {
      return screenObject(object, { text, textHash }, window, validatorSetOf, seen);
    }
    return rejected("not-json", "the message is not an object");
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const isOurBound = exceededBound(text, jsonBounds) !== undefined;
    return rejected(isOurBound ? "limit" : "not-json", error.message);
  }
}

/**
 * Decides a candidate once its signature is checked. What is known is looked up again: the same message may have
 * arrived while its signature was checked.
 */
export function conclude(
  { claim, copy, cycle: ofCycle }: Candidate,
  isSigned: boolean,
  seen: KnownVotes,
): Admission {
  if (!isSigned) return unsigned(claim.kind === "new" ? claim.vote.sender : claim.sender);
  if (claim.kind === "rejected") {
    return seen.convict(ofCycle, claim.sender) ? claim : superfluous(claim.sender);
  }
  const { cycle, sender, hash } = claim.vote;
  const known = seen.withHash(hash);
  if (known !== undefined) {
    seen.addCopy(known, copy);
    return { kind: "duplicate", vote: known };
  }
  const [first, second] = seen.of(cycle, sender);
  if (second !== undefined) return superfluous(sender);
  seen.add(claim.vote);
  seen.addCopy(claim.vote, copy);
  return first === undefined ? claim : { kind: "equivocation", vote: claim.vote, first };
}

function screenObject(
  object: object,
  { text, textHash }: { readonly text: string; readonly textHash: HashHex },
  window: VoteWindow,
  validatorSetOf: PossibleSetOf,
  seen: KnownVotes,
): Candidate | DeferredCandidate | Admission {
  const { cycle, sender } = object as { cycle?: unknown; sender?: unknown };
  const ofCycle = isCycle(cycle) ? cycle : NO_CYCLE;
  if (ofCycle !== NO_CYCLE && (ofCycle < window.oldest || ofCycle > window.newest)) return otherCycle(window);
  const validators = validatorSetOf(ofCycle === NO_CYCLE ? undefined : ofCycle);
  if (validators.kind === "unknown") return screenUnknown(object, text, validators, seen.hashKey);
  const named = isNodeId(sender) && validators.keyOf.has(sender) ? sender : undefined;
  const sign = signOf(object);
  if (sign === undefined) return unsigned(named);
  const signer = validators.idOf.get(sign.owner);
  if (signer === undefined) return named === undefined ? stranger() : otherKey(named);
  // A node that has left and come back has another ID, and may have the same key.
  if (isNodeId(sender) && named === undefined) return stranger();
  const content = signedContent(object);
  if (content === undefined) return rejected("limit", "the message has no canonical text", named);
  const hash = claimedHash(sign);
  if (hashText(content, seen.hashKey) !== hash) return unsigned(named ?? signer);
  const copy = { textHash, sig: sign.sig };
  const known = seen.withHash(hash);
  if (known !== undefined && seen.isKnownSignature(hash, sign.sig)) {
    seen.addCopy(known, copy);
    return { kind: "duplicate", vote: known };
  }
  const claim = claimOf({ text, content, sign }, signer, validators, seen.hashKey);
  // A text beyond its bound is rejected without a check of its signature.
  if (claim.kind === "rejected" && claim.reason === "limit") return claim;
  const isSuperfluous =
    claim.kind === "new"
      ? known === undefined && seen.of(ofCycle, signer).length > 1
      : seen.isConvicted(ofCycle, signer);
  if (isSuperfluous) return superfluous(signer);
  return { kind: "candidate", sign, copy, cycle: ofCycle, claim };
}

/** Checks a message without a validator set: only its content, and whether its own key signed it. */
function screenUnknown(
  object: object,
  text: string,
  bounds: UnknownValidatorSet,
  hashKey: string | undefined,
): DeferredCandidate | Rejection {
  const sign = signOf(object);
  if (sign === undefined) return unsigned();
  const content = signedContent(object);
  if (content === undefined) return rejected("limit", "the message has no canonical text");
  if (hashText(content, hashKey) !== claimedHash(sign)) return unsigned();
  const claim = deferralOf({ text, content, sign }, bounds, hashKey);
  return claim.kind === "rejected" ? claim : { kind: "deferred-candidate", sign, claim };
}

function otherCycle({ oldest, newest }: VoteWindow): Rejection {
  const wanted = oldest === newest ? `${oldest}` : `one of ${oldest} to ${newest}`;
  return rejected("other-cycle", `its cycle is not ${wanted}`);
}

function unsigned(sender?: NodeId): Rejection {
  const problem =
    sender === undefined
      ? "a message that no validator has signed"
      : `a message in the name of ${shortId(sender)} that is not signed with its key`;
  return rejected("unsigned", problem, sender);
}

function otherKey(named: NodeId): Rejection {
  const problem = `a message in the name of ${shortId(named)} that is not signed with its key`;
  return rejected("other-key", problem, named);
}

function stranger(): Rejection {
  return rejected("stranger", "a message of a node that is not a validator of its cycle");
}

function superfluous(sender: NodeId): Rejection {
  const problem = `one more message of ${shortId(sender)}, which has already signed invalid or contradictory messages`;
  return rejected("superfluous", problem, sender);
}
