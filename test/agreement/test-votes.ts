/** A ring of five validators, of which each stores its own partition and its neighbours', and their votes. */

import { VoteCollection } from "../../src/agreement/vote-collection.ts";
import { asCycle, asNodeId, asNodeIndex, type NodeId } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { makeShard, storedPartitions } from "../../src/protocol/shard.ts";
import { Random } from "../../src/testnet/state/random.ts";
import { makeVote } from "../../src/testnet/validator/gossip/vote.ts";
import { makeIdentity } from "../../src/testnet/validator/identity.ts";
import { asHashes } from "../helpers/brands.ts";

export const cycle = asCycle(7);
export const hashKey = DEFAULT_HASH_KEY;

const random = Random.named("test-votes");
const ids = Array.from({ length: 5 }, () => asNodeId(random.hex(8))).sort();
export const identities = ids.map((id) => makeIdentity(id, Buffer.from(random.hex(8), "hex")));
export const nodes = identities.map(({ id, publicKey }) => ({ id, publicKey, url: "http://127.0.0.1:1" }));

export const shard = makeShard({ numNodes: 5, nodesPerConsensusGroup: 3, nodesPerEdge: 0 });

export function idOf(index: number): NodeId {
  const id = ids[index];
  if (id === undefined) throw new RangeError(`there is no node ${index}`);
  return id;
}

/** A vote for one and the same hash, given by a letter, of the partitions that the node stores. */
export function voteOf(
  index: number,
  letter = "a",
  partitions: readonly number[] = [-1, ...storedPartitions(shard, asNodeIndex(index))],
): string {
  const identity = identities[index];
  if (identity === undefined) throw new RangeError(`there is no node ${index}`);
  return JSON.stringify(
    makeVote(identity, cycle, asHashes(new Map(partitions.map((of) => [of, letter.repeat(64)])))),
  );
}

/** A collection that has admitted the given messages. */
export function collectionOf(messages: readonly string[]): VoteCollection {
  const votes = new VoteCollection({ ...shard, cycleNumber: cycle }, nodes, hashKey);
  for (const message of messages) votes.admit(message);
  return votes;
}
