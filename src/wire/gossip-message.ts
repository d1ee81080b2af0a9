/** Parses gossip messages (PROTOCOL.md, Partition gossip). */

import { hex64 } from "./hex.ts";
import { parseAs } from "./parse.ts";
import * as z from "./schema.ts";

const hashes = z.record(
  z.string().regex(/^(-1|0|[1-9]\d{0,5})$/, "expected the number of a partition"),
  hex64,
);
const message = z.looseObject({
  cycle: z.int("expected a cycle number").min(0, "expected a cycle number"),
  /** In the first design, this was the map of hashes itself. */
  data: z.union(
    [z.looseObject({ partitionHash: hashes }).transform((data) => data.partitionHash), hashes],
    "expected the hashes of partitions",
  ),
  sender: hex64,
});

export interface GossipMessage {
  readonly cycle: number;
  /** The sender's node ID. */
  readonly sender: string;
  /** Partition → hash, as the sender computed it. */
  readonly hashes: ReadonlyMap<number, string>;
  /** The signed object. */
  readonly received: object;
}

/**
 * Parses a message without checking its signature.
 *
 * @throws WireError if it is not a gossip message
 */
export function parseGossipMessage(received: unknown, source: string): GossipMessage {
  const { cycle, data, sender } = parseAs(message, received, source);
  const entries = Object.entries(data).map(([partition, hash]) => [Number(partition), hash] as const);
  return { cycle, sender, hashes: new Map(entries), received: received as object };
}

/** Returns whether a message is the result of {@link parseGossipMessage}. */
export function isParsed(message: GossipMessage | object): message is GossipMessage {
  return "hashes" in message && message.hashes instanceof Map;
}
