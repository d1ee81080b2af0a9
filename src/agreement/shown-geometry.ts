/**
 * Signed messages show the geometry (PROTOCOL.md, Partitions): an honest node lists each partition that it stores, so
 * messages that list more or fewer contradict the sharding settings that votes are counted by.
 */

import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RunLog } from "../events/run-log.ts";
import type { TrustSource } from "../format/evidence/counting-rules.ts";
import { shortId } from "../protocol/node.ts";
import type { VoteCollection } from "./vote-collection.ts";

const nodesShown = 3;

/**
 * @throws SnapshotError `no-agreement` if most of the messages contradict settings that are not proved. A proof from
 *   a cycle record outweighs what nodes show.
 */
export function requireShownGeometry(votes: VoteCollection, source: TrustSource, log: RunLog): void {
  const senders = votes.contradictingGeometry();
  if (senders.length * 2 <= votes.size) return;
  const named = senders.slice(0, nodesShown).map(shortId).join(", ");
  const problem = `${senders.length} of ${votes.size} signed messages list other partitions than the sharding settings let their senders store (${named}${senders.length > nodesShown ? ", …" : ""})`;
  if (source === "proved") {
    log.warn(problem);
    return;
  }
  throw new SnapshotError("no-agreement", `${problem}, which contradicts the settings (${source})`, {
    hint:
      source === "given"
        ? "Correct --nodes-per-consensus-group and --nodes-per-edge, or leave them out."
        : "Give the network's settings with --nodes-per-consensus-group and --nodes-per-edge.",
  });
}
