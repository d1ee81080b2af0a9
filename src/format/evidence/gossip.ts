/** `evidence/gossip.jsonl`: the signed gossip messages as received, one per line, in ascending order of sender. */

import {
  gossipMessageBytesBase,
  gossipMessageBytesMax,
  gossipMessageBytesPerPartition,
} from "../../limits/gossip.ts";
import { gossipEvidenceBytesMax, gossipLineBytesSpare } from "../../limits/snapshot.ts";
import { type Line, linesOf } from "../lines.ts";
import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export const GOSSIP_FILE = `${EVIDENCE_DIRECTORY}/gossip.jsonl`;

/** Returns the most bytes of the file: each node has one message that counts, and at most one that contradicts it. */
export function gossipBytesMax(numPartitions: number): number {
  return Math.min(2 * numPartitions * gossipLineBytesMax(numPartitions), gossipEvidenceBytesMax);
}

/** Returns the most bytes of one message without its line end. */
export function gossipLineBytesMax(numPartitions: number): number {
  const signedMax = gossipMessageBytesBase + gossipMessageBytesPerPartition * (numPartitions + 1);
  return Math.min(signedMax, gossipMessageBytesMax) + gossipLineBytesSpare;
}

/** Yields the messages of the file one at a time. */
export function gossipLines(
  chunks: AsyncIterable<Buffer>,
  numPartitions: number,
): AsyncGenerator<Line, void, void> {
  return linesOf(chunks, gossipLineBytesMax(numPartitions));
}
