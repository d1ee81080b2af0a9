/** Subsets of a snapshot's artifacts, for checks that do not read all of them. */

import { hashText } from "../../protocol/crypto/hash.ts";

/** One of `oneIn` parts, or a random share that a seed determines. */
export type Subset =
  | {
      readonly oneIn: number;
      /** The index of the part, from 0. */
      readonly first: number;
    }
  | { readonly percent: number; readonly seed: number };

/** Returns the indices of the artifacts to read. A share contains at least one. */
export function chosenArtifacts(subset: Subset | undefined, total: number): ReadonlySet<number> {
  const all = Array.from({ length: total }, (_, index) => index);
  if (subset === undefined) return new Set(all);
  if ("oneIn" in subset) {
    return new Set(all.filter((index) => index % subset.oneIn === subset.first % subset.oneIn));
  }
  const count = Math.max(1, Math.round((total * subset.percent) / 100));
  // The order by the hash of seed and index is random, and depends only on the seed.
  const ranked = all.map((index) => ({ index, rank: hashText(`${subset.seed} ${index}`) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return new Set(ranked.slice(0, count).map(({ index }) => index));
}

/** Describes a subset for messages. */
export function describeSubset(subset: Subset): string {
  return "oneIn" in subset
    ? `part ${(subset.first % subset.oneIn) + 1} of ${subset.oneIn}`
    : `${subset.percent}% at random, seed ${subset.seed}`;
}
