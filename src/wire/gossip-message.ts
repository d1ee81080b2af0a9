/** Parses gossip messages (PROTOCOL.md, Partition gossip). */

import {
  type Cycle,
  type HashHex,
  isHashHex,
  isPartition,
  type NodeId,
  type Partition,
} from "../protocol/brands.ts";
import { hex64, nodeId } from "./hex.ts";
import { parseAs } from "./parse.ts";
import * as z from "./schema.ts";

const hashes = z.record(
  z.string().regex(/^(-1|0|[1-9]\d{0,5})$/, "expected the number of a partition"),
  hex64,
);
const cycle = z
  .int("expected a cycle number")
  .min(0, "expected a cycle number")
  .transform((number) => number as Cycle);
const message = z.looseObject({
  cycle,
  /** In the first design, this was the map of hashes itself. */
  data: z.union(
    [z.looseObject({ partitionHash: hashes }).transform((data) => data.partitionHash), hashes],
    "expected the hashes of partitions",
  ),
  sender: nodeId,
});

export interface GossipMessage {
  readonly cycle: Cycle;
  /** The sender's node ID. */
  readonly sender: NodeId;
  /** Partition → hash, as the sender computed it. */
  readonly hashes: ReadonlyMap<Partition, HashHex>;
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
  const entries = Object.entries(data).map(
    ([partition, hash]) => [Number(partition) as Partition, hash] as const,
  );
  return { cycle, sender, hashes: new Map(entries), received: received as object };
}

/** A {@link GossipMessage} as the library's callers have it. */
export interface PlainGossipMessage {
  readonly cycle: number;
  readonly sender: string;
  readonly hashes: ReadonlyMap<number, string>;
  readonly received: object;
}

/**
 * Returns a message that may be parsed already.
 *
 * @throws WireError if it is neither a gossip message nor a parsed one
 */
export function asGossipMessage(message: PlainGossipMessage | object): GossipMessage {
  if (!("hashes" in message && message.hashes instanceof Map)) return parseGossipMessage(message, "gossip");
  return isParsed(message) ? message : parseAs(parsedMessage, message, "gossip");
}

/** Every message that {@link parseGossipMessage} has returned, so that its hashes are not checked again. */
const parsed = new WeakSet<object>();

function isParsed(message: object): message is GossipMessage {
  return parsed.has(message);
}

const parsedMessage = z.object({
  cycle,
  sender: nodeId,
  hashes: z.custom<GossipMessage["hashes"]>(areHashes, "expected the hashes of partitions"),
  received: z.custom<object>((value) => typeof value === "object" && value !== null, "expected an object"),
});

function areHashes(value: unknown): value is GossipMessage["hashes"] {
  return (
    value instanceof Map && [...value].every(([partition, hash]) => isPartition(partition) && isHashHex(hash))
  );
}
