/** Who may vote in a cycle, and how much a vote can have to say. */

import {
  gossipMessageBytesBase,
  gossipMessageBytesMax,
  gossipMessageBytesPerPartition,
  gossipReceivedFactor,
} from "../model/limits.ts";
import { type Shard, storedCount } from "../model/shard.ts";

export interface ValidatorSet {
  /** Node ID → public key. */
  readonly keyOf: ReadonlyMap<string, string>;
  /** Public key → node ID. */
  readonly idOf: ReadonlyMap<string, string>;
  /** Of what is signed, in UTF-8: enough for every partition that a node stores. */
  readonly voteBytesMax: number;
  /** Of a message as received, which anybody on its way may have made longer. */
  readonly receivedBytesMax: number;
}

/** The validators of a cycle, with bounds on what each of them can have to say in a network of that geometry. */
export function makeValidatorSet(
  nodes: Iterable<{ readonly id: string; readonly publicKey: string }>,
  shard: Shard,
): ValidatorSet {
  const keyOf = new Map<string, string>();
  const idOf = new Map<string, string>();
  for (const { id, publicKey } of nodes) {
    keyOf.set(id, publicKey.toLowerCase());
    idOf.set(publicKey.toLowerCase(), id);
  }
  const partitions = storedCount(shard) + 1;
  const voteBytesMax = Math.min(
    gossipMessageBytesMax,
    gossipMessageBytesBase + gossipMessageBytesPerPartition * partitions,
  );
  const receivedBytesMax = Math.min(gossipMessageBytesMax, gossipReceivedFactor * voteBytesMax);
  return { keyOf, idOf, voteBytesMax, receivedBytesMax };
}
