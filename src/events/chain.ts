/** An immutable list with appends in constant time: a run records an event for every request. */

export type Chain<T> = { readonly last: T; readonly before: Chain<T> } | undefined;

export function appended<T>(chain: Chain<T>, item: T): Chain<T> {
  return { last: item, before: chain };
}

/** Returns the items, the oldest first. */
export function listOf<T>(chain: Chain<T>): T[] {
  const items: T[] = [];
  for (let link = chain; link !== undefined; link = link.before) items.push(link.last);
  return items.reverse();
}
