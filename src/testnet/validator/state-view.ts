/**
 * The state that a validator hashes and exports. For an honest validator it is that of the database; the fault `lie`
 * changes accounts, and the validator then votes for, exports and serves the same false state.
 */

import type { Partition } from "../../protocol/brands.ts";
import type { StateReader, StateRow } from "./state/state-reader.ts";

/** Returns the account at a place in a partition, changed or unchanged. */
export type StateView = (row: StateRow, partition: Partition, place: number) => StateRow;

/** Yields the accounts of a partition in ascending order, page by page, after all views. */
export async function* viewedPages(
  reader: StateReader,
  partition: Partition,
  views: readonly StateView[],
): AsyncGenerator<readonly StateRow[], void, void> {
  let place = 0;
  for await (const rows of reader.pages(partition)) {
    const first = place;
    place += rows.length;
    yield views.length === 0
      ? rows
      : rows.map((row, index) =>
          views.reduce((changed, view) => view(changed, partition, first + index), row),
        );
  }
}
