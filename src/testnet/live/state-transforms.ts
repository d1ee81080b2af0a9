/** The lie of those who lie about a partition: its first account is another, and the same for all of them. */

import { canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import { tampered } from "../state/account-data.ts";
import type { StateView } from "../validator/state-view.ts";

/** @param partitions about which there is a lie */
export function lyingAbout(partitions: readonly number[]): StateView[] {
  if (partitions.length === 0) return [];
  return [
    (row, partition, place) => {
      if (place > 0 || !partitions.includes(partition)) return row;
      const { accountId, stateId, timestamp, dataText } = row;
      const lie = tampered({ accountId, stateId, timestamp, data: JSON.parse(dataText) as unknown });
      return { ...row, dataText: canonicalTextOf(lie.data) };
    },
  ];
}
