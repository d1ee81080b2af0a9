/** Returns the indices in groups of equal rank, the lowest rank first; each group keeps their order. */

import type { PeerIndex } from "../../protocol/brands.ts";

export function rankGroups(
  indices: Iterable<PeerIndex>,
  rankOf: (index: PeerIndex) => number,
): PeerIndex[][] {
  const groups = new Map<number, PeerIndex[]>();
  for (const index of indices) {
    const rank = rankOf(index);
    const group = groups.get(rank);
    if (group === undefined) groups.set(rank, [index]);
    else group.push(index);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}
