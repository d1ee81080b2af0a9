/** The offences of nodes, and their evidence. */

export type OffenceKind =
  /** A partition whose hash is not the agreed one. */
  | "wrong-partition"
  /** One account twice in a response, with different content. */
  | "contradicting-account"
  /** Further accounts of a partition, after those that match the agreed hash. */
  | "superfluous-account"
  /** Accounts of partitions that the node does not store. */
  | "foreign-accounts"
  | "duplicate-accounts"
  | "malformed-answer"
  | "truncated-answer"
  | "stalled-answer"
  | "oversized-answer"
  | "redirect"
  /** A gossip response that is malformed, or that relays messages without a valid signature. */
  | "invalid-gossip"
  /** A malformed or oversized message that carries the sender's own valid signature. */
  | "invalid-vote"
  /** Two different messages of one sender for one cycle. */
  | "equivocation"
  /** A vote for a hash other than the agreed one. */
  | "dissenting-vote"
  /** A partition whose hash differs from the hash that the same node has signed. */
  | "contradicts-own-vote";

const kinds: Readonly<Record<OffenceKind, true>> = {
  "wrong-partition": true,
  "contradicting-account": true,
  "superfluous-account": true,
  "foreign-accounts": true,
  "duplicate-accounts": true,
  "malformed-answer": true,
  "truncated-answer": true,
  "stalled-answer": true,
  "oversized-answer": true,
  redirect: true,
  "invalid-gossip": true,
  "invalid-vote": true,
  equivocation: true,
  "dissenting-vote": true,
  "contradicts-own-vote": true,
};

export function isOffenceKind(text: string): text is OffenceKind {
  return Object.hasOwn(kinds, text);
}

/** An act of a node or a mirror that no honest and healthy one commits. */
export interface Offence {
  /** The node's ID, or the mirror's URL without secrets. */
  readonly node: string;
  readonly kind: OffenceKind;
  readonly partition?: number;
  /** What happened, with the expected and the received value. */
  readonly detail: string;
}

/** Messages that the node itself has signed, which convince a third party. */
export interface OffenceEvidence {
  /** Gossip messages as received: one, or two that contradict each other. */
  readonly messages: readonly object[];
  /** The hash of what the node sent, which differs from the one in its message. No signature proves this hash. */
  readonly sentHash?: string;
}

/** An offence as the hash database stores it. */
export interface RecordedOffence extends Offence {
  /** The time of the first observation, milliseconds. */
  readonly whenMs: number;
  readonly cycle?: number;
  readonly evidence?: OffenceEvidence;
}

/**
 * The basis of an offence. `signed`: messages with the offender's own signature convince a third party. `observed`: the
 * node sent something wrong over its own connection, which only this program has seen.
 */
export type OffenceBasis = "signed" | "observed";

const signedKinds: ReadonlySet<OffenceKind> = new Set(["invalid-vote", "equivocation", "dissenting-vote"]);

/** An offence as it is reported, with its basis. */
export interface ReportedOffence extends Offence {
  readonly basis: OffenceBasis;
}

const shardingKinds: ReadonlySet<OffenceKind> = new Set([
  "wrong-partition",
  "superfluous-account",
  "foreign-accounts",
  "oversized-answer",
  "dissenting-vote",
  "invalid-vote",
]);

/**
 * Returns whether an offence of this kind depends on the sharding settings. Under wrong settings, liars can determine
 * the agreed hash, and an honest node can seem to send accounts that it does not store.
 */
export function dependsOnSharding(kind: OffenceKind): boolean {
  return shardingKinds.has(kind);
}

export function basisOf(kind: OffenceKind): OffenceBasis {
  return signedKinds.has(kind) ? "signed" : "observed";
}
