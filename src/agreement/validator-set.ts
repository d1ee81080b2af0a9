/** Who may vote in a cycle, and how much a vote can have to say. */

import {
  gossipMessageBytesBase,
  gossipMessageBytesMax,
  gossipMessageBytesPerPartition,
  gossipMessageValuesBase,
  gossipMessageValuesPerPartition,
  gossipReceivedFactor,
} from "../limits/limits.ts";
import { type Shard, storedCount } from "../protocol/shard.ts";
import { defaultJsonBounds, type JsonBounds } from "../wire/json-bounds.ts";

export interface ValidatorSet {
  /** Node ID → public key. */
  readonly keyOf: ReadonlyMap<string, string>;
  /** Public key → node ID. */
  readonly idOf: ReadonlyMap<string, string>;
  /** Of what is signed, in UTF-8: enough for every partition that a node stores. */
  readonly voteBytesMax: number;
  /** Of a message as received, which anybody on its way may have made longer. */
  readonly receivedBytesMax: number;
  /** On what is parsed of a message. */
  readonly jsonBounds: JsonBounds;
}

/** The validators of a cycle, with bounds on what each of them can have to say in a network of that geometry. */
export function makeValidatorSet(
  nodes: Iterable<{ readonly id: string; readonly publicKey: string | undefined }>,
  shard: Shard,
): ValidatorSet {
  const keyOf = new Map<string, string>();
  const idOf = new Map<string, string>();
  for (const { id, publicKey } of nodes) {
    if (publicKey === undefined) continue; // nobody knows whether a vote is its own
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
