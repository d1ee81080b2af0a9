/** A cluster from a fixture: real servers for its validators and its archiver, in this process. */

import { setImmediate } from "node:timers/promises";
import { networkHash } from "../model/partition-hash.ts";
import { allPartitions, GLOBAL_PARTITION, makeShard, storedPartitions } from "../model/shard.ts";
import { HeldSnapshots } from "../validator/held-snapshots.ts";
import { makeIdentity } from "../validator/identity.ts";
import type { JsonServer } from "../validator/json-server.ts";
import { makeValidatorServer } from "../validator/validator-server.ts";
import { makeVote } from "../validator/vote.ts";
import { makeArchiverServer, type NodeRow } from "./archiver-server.ts";
import { firstCycleStart, makeCycleChain } from "./cycle-chain.ts";
import type { Fixture } from "./fixture.ts";
import { NodeAccounts } from "./node-accounts.ts";
import { honestSetup, type Network, type NodeSetup } from "./node-setup.ts";
import { Random } from "./random.ts";
import { SeededState } from "./seeded-state.ts";

/** What others need to know of a running cluster. */
export interface ClusterDescription {
  readonly name: string;
  readonly archiverUrl: string;
  /** 64 hex digits, for `--archiver-key`. */
  readonly archiverPublicKey: string;
  /** In ascending order of their ids; `url` is where a node that is down would be. */
  readonly nodes: readonly { readonly index: number; readonly id: string; readonly url: string }[];
  /** Milliseconds. */
  readonly snapshotTimestamp: number;
  readonly snapshotCycle: number;
  /** Of the true state, whatever the nodes say. */
  readonly networkHash: string;
}

export interface Cluster extends ClusterDescription {
  /** Ends all servers, and the answers under way. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly host?: string;
}

export async function startCluster(fixture: Fixture, options: ClusterOptions = {}): Promise<Cluster> {
  const host = options.host ?? "127.0.0.1";
  const network = makeNetwork(fixture);
  const setups = makeSetups(fixture, network);
  const truth = await hashesOf(network);
  const cycles = makeCycleChain({
    ...fixture,
    activeNodes: fixture.nodes,
    networkHash: networkHash(truth),
  });
  const gossip = makeGossip(network, setups, truth);
  const servers: JsonServer[] = [];
  const stop = async () => void (await Promise.all(servers.map((server) => server.close())));
  const listen = (server: JsonServer) => {
    servers.push(server);
    return server.listen(host);
  };
  try {
    const validators = setups.map((setup) => makeValidator(fixture, setup, gossip));
    const urls = await Promise.all(validators.map(listen));
    const archiver = archiverIdentity(fixture.seed);
    const nodeList = makeNodeList(network, urls);
    const archiverUrl = await listen(
      makeArchiverServer({ identity: archiver, nodeList, cycles: () => cycles }),
    );
    // Only now, so that none of the others was given the port of one that is down.
    await Promise.all(
      validators.filter((_, index) => !setups[index]?.isListening).map((server) => server.close()),
    );
    return {
      name: fixture.name,
      archiverUrl,
      archiverPublicKey: archiver.publicKey,
      nodes: network.identities.map(({ id }, index) => ({ index, id, url: urls[index] ?? "" })),
      snapshotTimestamp: snapshotTimestampOf(fixture),
      snapshotCycle: fixture.snapshotCycle,
      networkHash: networkHash(truth),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Milliseconds: the end of the snapshot's cycle (PROTOCOL.md, Time). */
export function snapshotTimestampOf(fixture: Fixture): number {
  return (firstCycleStart + (fixture.snapshotCycle + 1) * fixture.cycleDuration) * 1000;
}

export function makeNetwork(fixture: Fixture): Network {
  const random = Random.named(fixture.seed, "identities");
  const ids = Array.from({ length: fixture.nodes }, () => random.hex(8)).sort();
  const shard = makeShard({
    numNodes: fixture.nodes,
    nodesPerConsensusGroup: fixture.nodesPerConsensusGroup,
    nodesPerEdge: fixture.nodesPerEdge,
  });
  return {
    seed: fixture.seed,
    identities: ids.map((id) => makeIdentity(id, Buffer.from(random.hex(8), "hex"))),
    shard,
    state: new SeededState({ ...fixture, timestampMs: snapshotTimestampOf(fixture) }, shard),
    snapshotCycle: fixture.snapshotCycle,
    cycleDurationMs: fixture.cycleDuration * 1000,
  };
}

function makeSetups(fixture: Fixture, network: Network): NodeSetup[] {
  return network.identities.map((_, index) => {
    const setup = honestSetup(network, index, storedPartitions(network.shard, index));
    for (const { node, kind, value } of fixture.faults) {
      if (node === "*" || node === index) kind.apply(setup, value);
    }
    return setup;
  });
}

/** The true hashes of −1 and of every partition, one pass over the whole state. */
export async function hashesOf({ shard, state }: Network): Promise<Map<number, string>> {
  const hashes = new Map<number, string>();
  for (const partition of allPartitions(shard)) {
    hashes.set(partition, state.hashOf(partition));
    await setImmediate(); // gigabytes take a while: signals, and other servers, must get their turn
  }
  return hashes;
}

/**
 * The messages of the snapshot's cycle as JSON, in no order: what nodes of even index have received,
 * and what those of odd index have. They differ where a sender said different things to different peers.
 */
type Gossip = readonly [readonly string[], readonly string[]];

function makeGossip(
  network: Network,
  setups: readonly NodeSetup[],
  truth: ReadonlyMap<number, string>,
): Gossip {
  const toEven: string[] = [];
  const toOdd: string[] = [];
  const lies = new Map<number, string>();
  const lieOf = (partition: number) => {
    const hash = lies.get(partition) ?? network.state.hashOf(partition, true);
    lies.set(partition, hash);
    return hash;
  };
  for (const setup of setups) {
    const believed = new Map<number, string>();
    for (const partition of [...setup.stored, GLOBAL_PARTITION]) {
      believed.set(partition, setup.lies.has(partition) ? lieOf(partition) : (truth.get(partition) ?? ""));
    }
    const messages = setup.votes.map((vote) => {
      const { isFirstDesign } = setup;
      const message = makeVote(setup.identity, network.snapshotCycle, vote(believed), { isFirstDesign });
      return JSON.stringify(setup.messages.reduce((changed, change) => change(changed), message));
    });
    toEven.push(...messages.slice(0, 1));
    toOdd.push(...messages.slice(-1));
  }
  const random = Random.named(network.seed, "gossip");
  return [random.shuffled(toEven), random.shuffled(toOdd)];
}

function makeValidator(fixture: Fixture, setup: NodeSetup, gossip: Gossip): JsonServer {
  const { network, stored, lies, conduct } = setup;
  const snapshots = new HeldSnapshots({
    startMs: firstCycleStart * 1000,
    durationMs: network.cycleDurationMs,
    finalizedMs: () => firstCycleStart * 1000 + fixture.cycles * network.cycleDurationMs,
  });
  snapshots.hold(snapshotTimestampOf(fixture), new NodeAccounts(network.state, stored, lies));
  const { nodesPerConsensusGroup, nodesPerEdge } = fixture;
  const received = gossip[setup.index % 2 === 0 ? 0 : 1];
  return makeValidatorServer({
    netconfig: {
      config: { cycleDuration: fixture.cycleDuration, sharding: { nodesPerConsensusGroup, nodesPerEdge } },
    },
    snapshots,
    gossipOf: (cycle) => (cycle === network.snapshotCycle ? received : undefined),
    conduct,
  });
}

function archiverIdentity(seed: string) {
  const random = Random.named(seed, "archiver");
  return makeIdentity(random.hex(8), Buffer.from(random.hex(8), "hex"));
}

/** In no order, and in every form that PROTOCOL.md names: an external address wins over the other. */
function makeNodeList({ seed, identities }: Network, urls: readonly string[]): NodeRow[] {
  const rows = identities.map(({ id, publicKey }, index): NodeRow => {
    const { hostname, port } = new URL(urls[index] ?? "");
    if (index % 3 === 0) return { id, ip: hostname, port: Number(port), publicKey };
    if (index % 3 === 1) return { id, ip: hostname, port, publicKey };
    const external = { externalIp: hostname, externalPort: Number(port) };
    return { id, ip: "192.0.2.1", port: 9001, publicKey, ...external };
  });
  return Random.named(seed, "node list").shuffled(rows);
}
