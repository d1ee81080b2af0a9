/** Who may vote in a cycle, and how large a vote can be. */

import {
  gossipMessageBytesBase,
  gossipMessageBytesMax,
  gossipMessageBytesPerPartition,
  gossipMessageValuesBase,
  gossipMessageValuesPerPartition,
  gossipReceivedFactor,
} from "../../limits/gossip.ts";
import type { Cycle, NodeId, PublicKey } from "../../protocol/brands.ts";
import { type Shard, storedCount } from "../../protocol/shard.ts";
import { defaultJsonBounds, type JsonBounds } from "../../wire/json-bounds.ts";

/** Bounds on one message. */
export interface VoteBounds {
  /** Bound on what is signed, in UTF-8: enough for every partition that a node stores. */
  readonly voteBytesMax: number;
  /** Bound on a message as received, which a relay may have made longer. */
  readonly receivedBytesMax: number;
  /** Bounds on the parsed message. */
  readonly jsonBounds: JsonBounds;
}

export interface ValidatorSet extends VoteBounds {
  readonly kind: "known";
  /** Node ID → public key. */
  readonly keyOf: ReadonlyMap<NodeId, PublicKey>;
  /** Public key → node ID. */
  readonly idOf: ReadonlyMap<PublicKey, NodeId>;
}

/** Stands for the validator set of a cycle whose nodes are unknown. Votes of that cycle are deferred. */
export interface UnknownValidatorSet extends VoteBounds {
  readonly kind: "unknown";
}

/** With bounds that fit any network. */
export const unknownValidatorSet: UnknownValidatorSet = {
  kind: "unknown",
  voteBytesMax: gossipMessageBytesMax,
  receivedBytesMax: gossipMessageBytesMax,
  jsonBounds: defaultJsonBounds,
};

/** Returns the validator set of a cycle; for `undefined`, which stands for no cycle, that of the newest one. */
export type ValidatorSetOf = (cycle: Cycle | undefined) => ValidatorSet;

/** As {@link ValidatorSetOf}, if the nodes of some cycles are unknown. */
export type PossibleSetOf = (cycle: Cycle | undefined) => ValidatorSet | UnknownValidatorSet;

/** Returns the validators of a cycle, with bounds on their votes in a network of that geometry. */
export function makeValidatorSet(
  nodes: Iterable<{ readonly id: NodeId; readonly publicKey: PublicKey | undefined }>,
  shard: Shard,
): ValidatorSet {
  const keyOf = new Map<NodeId, PublicKey>();
  const idOf = new Map<PublicKey, NodeId>();
  for (const { id, publicKey } of nodes) {
    if (publicKey === undefined) continue; // nothing proves a vote of this node
    keyOf.set(id, publicKey);
    idOf.set(publicKey, id);
  }
  const partitions = storedCount(shard) + 1;
  const voteBytesMax = Math.min(
    gossipMessageBytesMax,
    gossipMessageBytesBase + gossipMessageBytesPerPartition * partitions,
  );
  const receivedBytesMax = Math.min(gossipMessageBytesMax, gossipReceivedFactor * voteBytesMax);
  const valuesMax = gossipMessageValuesBase + gossipMessageValuesPerPartition * partitions;
  const jsonBounds = { ...defaultJsonBounds, valuesMax: Math.min(valuesMax, defaultJsonBounds.valuesMax) };
  return { kind: "known", keyOf, idOf, voteBytesMax, receivedBytesMax, jsonBounds };
}
