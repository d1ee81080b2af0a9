/** What mirrors are queried for. Each has every partition, so several mirrors share what is needed. */

import { mirrorPartitionsMax } from "../../limits/sync.ts";
import type { MirrorIndex, Partition } from "../../protocol/brands.ts";
import type { PlannedQuery } from "./algorithm-1.ts";

/**
 * Returns a query for each mirror that can give anything, in their order.
 *
 * @param excludedOf partitions that a mirror is not to be queried for
 */
export function mirrorQueries(
  mirrors: readonly MirrorIndex[],
  needed: ReadonlySet<Partition>,
  excludedOf: (mirror: MirrorIndex) => Iterable<Partition>,
): PlannedQuery<MirrorIndex>[] {
  let open = [...needed].sort((a, b) => a - b);
  return mirrors.flatMap((nodeIndex, place) => {
    const excluded = new Set(excludedOf(nodeIndex));
    const share = Math.min(Math.ceil(open.length / (mirrors.length - place)), mirrorPartitionsMax);
    const partitions = open.filter((partition) => !excluded.has(partition)).slice(0, share);
    const taken = new Set(partitions);
    open = open.filter((partition) => !taken.has(partition));
    return partitions.length === 0 ? [] : [{ nodeIndex, partitions }];
  });
}
