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
  /** Gossip that is malformed, or whose signature does not hold. */
  | "invalid-gossip"
  /** Two different messages of one sender for one cycle. */
  | "equivocation"
  /** A vote for another hash than the agreed one. */
  | "dissenting-vote"
  /** A partition whose hash is not the one that the same node has signed. */
  | "contradicts-own-vote";

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
