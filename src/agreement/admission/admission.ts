/** What {@link admit} decides about one received gossip message, as data (PROTOCOL.md, Partition gossip). */

import type { Cycle, HashHex, NodeId, Partition } from "../../protocol/brands.ts";
import type { Sign } from "../../protocol/crypto/signature.ts";
import type { KnownVote, NoCycle, SeenCopy } from "./known-votes.ts";

/** A vote that counts, or that proves an equivocation. */
export interface Vote {
  readonly cycle: Cycle;
  /** The sender's node ID. */
  readonly sender: NodeId;
  /** The hash that is signed. Two messages with the same one are the same vote. */
  readonly hash: HashHex;
  /** One line that verifies by itself: the message as received, unless a relay has made it longer. */
  readonly text: string;
  /** Partition → hash. */
  readonly hashes: ReadonlyMap<Partition, HashHex>;
}

/**
 * Why a message is not a vote that counts.
 *
 * - `not-json`: it is not the JSON text of an object.
 * - `unsigned`: it has no valid signature of a validator.
 * - `other-key`: it is in a validator's name, and signed with a key that the node list does not have. Either it is
 *   forged, or the list has another key for that validator than the network.
 * - `stranger`: it is signed by a node that is not a validator of that cycle, but may be one of another.
 * - `other-cycle`: its cycle is outside the window.
 * - `limit`: it exceeds a bound, so its signature is not checked.
 * - `superfluous`: its sender has already signed invalid or contradictory messages of that cycle, so nothing else is
 *   checked.
 * - `malformed`: a validator signed content that is not a gossip message.
 * - `misattributed`: a validator signed a message that names another sender.
 * - `oversized`: a validator signed a message longer than the partitions that it stores could need.
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
  /** The validator that has validly signed it; otherwise, the one in whose name it is. */
  readonly sender?: NodeId;
}

export type Admission =
  | { readonly kind: "new"; readonly vote: Vote }
  | { readonly kind: "duplicate"; readonly vote: KnownVote }
  /** The sender's second, different vote of a cycle. It is evidence, and does not count. */
  | { readonly kind: "equivocation"; readonly vote: Vote; readonly first: KnownVote }
  | Rejection;

/**
 * A vote whose signature is valid, of a cycle whose validator set is unknown: it is not known yet whether the key is
 * its sender's. It does not count, proves nothing and is not remembered.
 */
export interface Deferral {
  readonly kind: "deferred";
  readonly vote: Vote;
}

/** As {@link Candidate}, for a cycle whose validator set is unknown. */
export interface DeferredCandidate {
  readonly kind: "deferred-candidate";
  readonly sign: Sign;
  /** What the message is if the signature is valid. */
  readonly claim: Deferral;
}

/** A message that has passed every check but that of its signature. */
export interface Candidate {
  readonly kind: "candidate";
  readonly sign: Sign;
  readonly copy: SeenCopy;
  /** What the message is if the signature is valid: a vote, or a message that convicts its signer. */
  readonly claim: { readonly kind: "new"; readonly vote: Vote } | (Rejection & { readonly sender: NodeId });
  /** The cycle that the message names. */
  readonly cycle: Cycle | NoCycle;
}

export function rejected(
  reason: RejectionReason,
  problem: string,
  sender: NodeId,
): Rejection & { sender: NodeId };
export function rejected(reason: RejectionReason, problem: string, sender?: NodeId): Rejection;
export function rejected(reason: RejectionReason, problem: string, sender?: NodeId): Rejection {
  return { kind: "rejected", reason, problem, ...(sender === undefined ? {} : { sender }) };
}
