/** What all validators of a cluster share: who they are, the geometry, the state, and its hashes. */

import { setImmediate } from "node:timers/promises";
import { allPartitions, makeShard, type Shard } from "../model/shard.ts";
import { type Identity, makeIdentity } from "../validator/identity.ts";
import { firstCycleStart } from "./cycle-chain.ts";
import type { Fixture } from "./fixture.ts";
import { Random } from "./random.ts";
import { SeededState } from "./seeded-state.ts";

export interface Network {
  readonly seed: string;
  /** In ascending order of their ids. */
  readonly identities: readonly Identity[];
  readonly shard: Shard;
  readonly state: SeededState;
  /** The snapshot is the state at the end of this cycle. */
  readonly snapshotCycle: number;
  /** Milliseconds: the end of the snapshot's cycle (PROTOCOL.md, Time). */
  readonly snapshotTimestamp: number;
  readonly cycleDurationMs: number;
}

export function makeNetwork(fixture: Fixture): Network {
  const { seed, nodes, nodesPerConsensusGroup, nodesPerEdge, snapshotCycle, cycleDuration } = fixture;
  const random = Random.named(seed, "identities");
  const ids = Array.from({ length: nodes }, () => random.hex(8)).sort();
  const shard = makeShard({ numNodes: nodes, nodesPerConsensusGroup, nodesPerEdge });
  const snapshotTimestamp = (firstCycleStart + (snapshotCycle + 1) * cycleDuration) * 1000;
  return {
    seed,
    identities: ids.map((id) => makeIdentity(id, Buffer.from(random.hex(8), "hex"))),
    shard,
    state: new SeededState({ ...fixture, timestampMs: snapshotTimestamp }, shard),
    snapshotCycle,
    snapshotTimestamp,
    cycleDurationMs: cycleDuration * 1000,
  };
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
