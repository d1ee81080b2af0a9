/** An immutable list that grows at its end in constant time: a run has as many events as it has requests. */

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
