/** The data that all validators of a cluster share: their identities, the geometry, the state and its hashes. */

import { setImmediate } from "node:timers/promises";
import { asNodeId, type Cycle, type HashHex, type Partition } from "../../protocol/brands.ts";
import { allPartitions, makeShard, type Shard } from "../../protocol/shard.ts";
import { ChangedState } from "../state/changed-state.ts";
import type { GeneratedState } from "../state/generated-state.ts";
import { Random } from "../state/random.ts";
import { type AccountMaker, SeededState } from "../state/seeded-state.ts";
import { type Identity, makeIdentity } from "../validator/identity.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import { firstCycleStart } from "./cycle-records.ts";
import { type Fixture, olderFixture } from "./fixture.ts";

/** The network of a static cluster. */
export interface Network extends ClusterNetwork {
  /** The snapshot is the state at the end of this cycle. */
  readonly snapshotCycle: Cycle;
  /** Milliseconds: the end of the snapshot's cycle (PROTOCOL.md, Time). */
  readonly snapshotTimestamp: number;
}

/** @param makeAccount makes the accounts; by default as diverse as those of real networks */
export function makeNetwork(fixture: Fixture, makeAccount?: AccountMaker): Network {
  const { seed, nodes, nodesPerConsensusGroup, nodesPerEdge, snapshotCycle, cycleDuration } = fixture;
  const shard = makeShard({ numNodes: nodes, nodesPerConsensusGroup, nodesPerEdge });
  const snapshotTimestamp = (firstCycleStart + (snapshotCycle + 1) * cycleDuration) * 1000;
  return {
    seed,
    identities: makeIdentities(seed, nodes),
    shard,
    state: makeState(fixture, shard, snapshotTimestamp, makeAccount),
    snapshotCycle,
    snapshotTimestamp,
    cycleDurationMs: cycleDuration * 1000,
  };
}

function makeState(
  fixture: Fixture,
  shard: Shard,
  timestampMs: number,
  makeAccount: AccountMaker | undefined,
): GeneratedState {
  const { changes, accountBytes } = fixture;
  if (changes === undefined) {
    return new SeededState({ ...fixture, timestampMs, ...(makeAccount && { makeAccount }) }, shard);
  }
  const older = makeNetwork(olderFixture(fixture), makeAccount);
  const before = { state: older.state, shard: older.shard, timestampMs: older.snapshotTimestamp };
  return new ChangedState({ before, shard, timestampMs, shares: changes, accountBytes, makeAccount });
}

/** In ascending order of ID. */
export function makeIdentities(seed: string, nodes: number): Identity[] {
  const random = Random.named(seed, "identities");
  const ids = Array.from({ length: nodes }, () => asNodeId(random.hex(8))).sort();
  return ids.map((id) => makeIdentity(id, Buffer.from(random.hex(8), "hex")));
}

/** The identity of a validator that joins later. */
export function makeJoiningIdentity(seed: string, number: number): Identity {
  const random = Random.named(seed, "joining identity", number);
  return makeIdentity(asNodeId(random.hex(8)), Buffer.from(random.hex(8), "hex"));
}

/** Returns the true hashes of −1 and of every partition, in one pass over the whole state. */
export async function hashesOf({ shard, state }: Network): Promise<Map<Partition, HashHex>> {
  const hashes = new Map<Partition, HashHex>();
  for (const partition of allPartitions(shard)) {
    hashes.set(partition, state.hashOf(partition));
    await setImmediate(); // signals and other servers run between partitions
  }
  return hashes;
}
