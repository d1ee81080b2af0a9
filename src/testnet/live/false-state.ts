/** The false state of nodes with the fault `lie`: the first account of a partition is changed, in the same way by all. */

import type { Partition } from "../../protocol/brands.ts";
import { canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import { tampered } from "../state/account-data.ts";
import type { StateView } from "../validator/state-view.ts";

/** @param partitions with a false state */
export function falseViews(partitions: readonly Partition[]): StateView[] {
  if (partitions.length === 0) return [];
  return [
    (row, partition, place) => {
      if (place > 0 || !partitions.includes(partition)) return row;
      const { accountId, stateId, timestamp, dataText } = row;
      const changed = tampered({ accountId, stateId, timestamp, data: JSON.parse(dataText) as unknown });
      return { ...row, dataText: canonicalTextOf(changed.data) };
    },
  ];
}
