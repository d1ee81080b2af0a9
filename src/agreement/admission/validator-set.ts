/** Who may vote in a cycle, and how large a vote can be. */

import {
  gossipMessageBytesBase,
  gossipMessageBytesMax,
  gossipMessageBytesPerPartition,
  gossipMessageValuesBase,
  gossipMessageValuesPerPartition,
  gossipReceivedFactor,
} from "../../limits/gossip.ts";
import { type Shard, storedCount } from "../../protocol/shard.ts";
import { defaultJsonBounds, type JsonBounds } from "../../wire/json-bounds.ts";

export interface ValidatorSet {
  /** Node ID → public key. */
  readonly keyOf: ReadonlyMap<string, string>;
  /** Public key → node ID. */
  readonly idOf: ReadonlyMap<string, string>;
  /** Bound on what is signed, in UTF-8: enough for every partition that a node stores. */
  readonly voteBytesMax: number;
  /** Bound on a message as received, which a relay may have made longer. */
  readonly receivedBytesMax: number;
  /** Bounds on the parsed message. */
  readonly jsonBounds: JsonBounds;
}

/** Returns the validator set of a cycle; of `undefined`, that of the newest one, for a message that names no cycle. */
export type ValidatorSetOf = (cycle: number | undefined) => ValidatorSet;

/** The validators of a cycle, with bounds on their votes in a network of that geometry. */
export function makeValidatorSet(
  nodes: Iterable<{ readonly id: string; readonly publicKey: string | undefined }>,
  shard: Shard,
): ValidatorSet {
  const keyOf = new Map<string, string>();
  const idOf = new Map<string, string>();
  for (const { id, publicKey } of nodes) {
    if (publicKey === undefined) continue; // nothing proves a vote of this node
    keyOf.set(id, publicKey.toLowerCase());
    idOf.set(publicKey.toLowerCase(), id);
  }
  const partitions = storedCount(shard) + 1;
  const voteBytesMax = Math.min(
    gossipMessageBytesMax,
    gossipMessageBytesBase + gossipMessageBytesPerPartition * partitions,
  );
  const receivedBytesMax = Math.min(gossipMessageBytesMax, gossipReceivedFactor * voteBytesMax);
  const valuesMax = gossipMessageValuesBase + gossipMessageValuesPerPartition * partitions;
  const jsonBounds = { ...defaultJsonBounds, valuesMax: Math.min(valuesMax, defaultJsonBounds.valuesMax) };
  return { keyOf, idOf, voteBytesMax, receivedBytesMax, jsonBounds };
}
