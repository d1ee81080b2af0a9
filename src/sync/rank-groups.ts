/** Returns the indices in groups of equal rank, the lowest rank first; each group keeps their order. */
export function rankGroups(indices: Iterable<number>, rankOf: (index: number) => number): number[][] {
  const groups = new Map<number, number[]>();
  for (const index of indices) {
    const rank = rankOf(index);
    const group = groups.get(rank);
    if (group === undefined) groups.set(rank, [index]);
    else group.push(index);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}
