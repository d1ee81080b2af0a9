/** What all validators of a cluster share: who they are, the geometry, the state, and its hashes. */

import { setImmediate } from "node:timers/promises";
import { allPartitions, makeShard, type Shard } from "../../protocol/shard.ts";
import { Random } from "../state/random.ts";
import { type AccountMaker, SeededState } from "../state/seeded-state.ts";
import { type Identity, makeIdentity } from "../validator/identity.ts";
import { firstCycleStart } from "./cycle-records.ts";
import type { Fixture } from "./fixture.ts";

export interface ClusterNetwork {
  readonly seed: string;
  /** In ascending order of their ids. */
  readonly identities: readonly Identity[];
  readonly shard: Shard;
  /** Of the snapshot; of a live cluster, the one that it begins with. */
  readonly state: SeededState;
  readonly cycleDurationMs: number;
}

/** Of a cluster whose state does not change. */
export interface Network extends ClusterNetwork {
  /** The snapshot is the state at the end of this cycle. */
  readonly snapshotCycle: number;
  /** Milliseconds: the end of the snapshot's cycle (PROTOCOL.md, Time). */
  readonly snapshotTimestamp: number;
}

/** @param makeAccount what an account is; by default as various as in real networks */
export function makeNetwork(fixture: Fixture, makeAccount?: AccountMaker): Network {
  const { seed, nodes, nodesPerConsensusGroup, nodesPerEdge, snapshotCycle, cycleDuration } = fixture;
  const shard = makeShard({ numNodes: nodes, nodesPerConsensusGroup, nodesPerEdge });
  const snapshotTimestamp = (firstCycleStart + (snapshotCycle + 1) * cycleDuration) * 1000;
  return {
    seed,
    identities: makeIdentities(seed, nodes),
    shard,
    state: new SeededState(
      { ...fixture, timestampMs: snapshotTimestamp, ...(makeAccount && { makeAccount }) },
      shard,
    ),
    snapshotCycle,
    snapshotTimestamp,
    cycleDurationMs: cycleDuration * 1000,
  };
}

/** In ascending order of their ids. */
export function makeIdentities(seed: string, nodes: number): Identity[] {
  const random = Random.named(seed, "identities");
  const ids = Array.from({ length: nodes }, () => random.hex(8)).sort();
  return ids.map((id) => makeIdentity(id, Buffer.from(random.hex(8), "hex")));
}

/** The true hashes of −1 and of every partition: one pass over the whole state. */
export async function hashesOf({ shard, state }: Network): Promise<Map<number, string>> {
  const hashes = new Map<number, string>();
  for (const partition of allPartitions(shard)) {
    hashes.set(partition, state.hashOf(partition));
    await setImmediate(); // gigabytes take a while: signals, and other servers, must get their turn
  }
  return hashes;
}
