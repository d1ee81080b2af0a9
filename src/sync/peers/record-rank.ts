/**
 * What a node's record costs it: it is queried as if it had failed so many times already. Algorithm 1's order
 * stays; those with a rank come after those without, and are still queried where no other node can give.
 */

import type { OffenceKind } from "../../errors/offence.ts";

/** 1: what a tired or badly connected node does as well. 2: what only a wrong or hostile one does. */
const weights: Readonly<Record<OffenceKind, 1 | 2>> = {
  "wrong-partition": 2,
  "contradicting-account": 2,
  "superfluous-account": 2,
  "foreign-accounts": 2,
  "duplicate-accounts": 1,
  "malformed-answer": 2,
  "truncated-answer": 1,
  "stalled-answer": 1,
  "oversized-answer": 2,
  redirect: 2,
  "invalid-gossip": 2,
  "invalid-vote": 2,
  equivocation: 2,
  "dissenting-vote": 2,
  "contradicts-own-vote": 2,
};

/** Returns 0 for a clean record, else the weight of the worst offence. */
export function recordRank(kinds: Iterable<OffenceKind>): 0 | 1 | 2 {
  let rank: 0 | 1 | 2 = 0;
  for (const kind of kinds) {
    const weight = weights[kind];
    if (weight > rank) rank = weight;
  }
  return rank;
}
