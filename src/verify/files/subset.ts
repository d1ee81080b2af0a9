/** A part of a snapshot's artifacts, for a check that need not read all of them each time. */

import { hashText } from "../../protocol/crypto/hash.ts";

/** The n-th of so many parts, or a random share that a seed makes the same again. */
export type Subset =
  | {
      readonly oneIn: number;
      /** From 0. */
      readonly first: number;
    }
  | { readonly percent: number; readonly seed: number };

/** The places of the artifacts to read, of `total`; a share is of at least one. */
export function chosenArtifacts(subset: Subset | undefined, total: number): ReadonlySet<number> {
  const all = Array.from({ length: total }, (_, index) => index);
  if (subset === undefined) return new Set(all);
  if ("oneIn" in subset) {
    return new Set(all.filter((index) => index % subset.oneIn === subset.first % subset.oneIn));
  }
  const count = Math.max(1, Math.round((total * subset.percent) / 100));
  // A random order that depends on the seed alone: by the hash of seed and place.
  const ranked = all.map((index) => ({ index, rank: hashText(`${subset.seed} ${index}`) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return new Set(ranked.slice(0, count).map(({ index }) => index));
}

/** As the command line writes it. */
export function describeSubset(subset: Subset): string {
  return "oneIn" in subset
    ? `part ${(subset.first % subset.oneIn) + 1} of ${subset.oneIn}`
    : `${subset.percent}% at random, seed ${subset.seed}`;
}
