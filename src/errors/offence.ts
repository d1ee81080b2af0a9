/** What nodes do wrong, and what proves it. */

export type OffenceKind =
  /** A partition whose hash is not the agreed one. */
  | "wrong-partition"
  /** An account twice in one answer, with different content. */
  | "contradicting-account"
  /** More accounts after those that made a partition right. */
  | "superfluous-account"
  /** Accounts of partitions that the node does not store. */
  | "foreign-accounts"
  | "duplicate-accounts"
  | "malformed-answer"
  | "truncated-answer"
  | "stalled-answer"
  | "oversized-answer"
  | "redirect"
  /** A gossip response that is malformed, or that passes on messages which nobody signed. */
  | "invalid-gossip"
  /** A malformed or oversized message that carries the sender's own valid signature. */
  | "invalid-vote"
  /** Two different messages of one sender for one cycle. */
  | "equivocation"
  /** A vote for another hash than the agreed one. */
  | "dissenting-vote"
  /** A partition whose hash is not the one that the same node has signed. */
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

/** Something that a node did that no honest and healthy node does. */
export interface Offence {
  /** The node's ID. */
  readonly node: string;
  readonly kind: OffenceKind;
  readonly partition?: number;
  /** What happened, what was expected, what came. */
  readonly detail: string;
}

/** What the node itself has signed, so that nobody needs to take our word for it. */
export interface OffenceEvidence {
  /** Gossip messages as received: one, or two that contradict each other. */
  readonly messages: readonly object[];
  /** The hash of what the node sent, which is not the one in its message: for this, ours is the only word. */
  readonly sentHash?: string;
}

/** An offence as the hash database keeps it. */
export interface RecordedOffence extends Offence {
  /** When it was first noticed: milliseconds. */
  readonly whenMs: number;
  readonly cycle?: number;
  readonly evidence?: OffenceEvidence;
}

/**
 * What an offence rests on. `signed`: messages that carry the offender's own signature convince a third party.
 * `observed`: what the node itself sent us over its own connection, for which ours is the only word.
 */
export type OffenceBasis = "signed" | "observed";

const signedKinds: ReadonlySet<OffenceKind> = new Set(["invalid-vote", "equivocation", "dissenting-vote"]);

/** An offence as it is reported, with what it rests on. */
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
 * Whether an offence of this kind depends on the sharding settings: under wrong ones, the agreed hash may be that of
 * liars, and an honest node seems to hold what it does not store.
 */
export function dependsOnSharding(kind: OffenceKind): boolean {
  return shardingKinds.has(kind);
}

export function basisOf(kind: OffenceKind): OffenceBasis {
  return signedKinds.has(kind) ? "signed" : "observed";
}
