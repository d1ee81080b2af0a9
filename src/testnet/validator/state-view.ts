/**
 * What a validator takes its state to be. An honest one believes its database; a liar changes an account here
 * and there, and then hashes, gossips, exports and serves the same lie.
 */

import type { StateReader, StateRow } from "./state/state-reader.ts";

/** Changes the account at a place in a partition, or leaves it. */
export type StateView = (row: StateRow, partition: number, place: number) => StateRow;

/** The accounts of a partition in ascending order, page by page, as they are believed to be. */
export async function* believed(
  reader: StateReader,
  partition: number,
  beliefs: readonly StateView[],
): AsyncGenerator<readonly StateRow[], void, void> {
  let place = 0;
  for await (const rows of reader.pages(partition)) {
    const first = place;
    place += rows.length;
    yield beliefs.length === 0
      ? rows
      : rows.map((row, index) =>
          beliefs.reduce((changed, belief) => belief(changed, partition, first + index), row),
        );
  }
}
