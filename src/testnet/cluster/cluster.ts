/** A cluster from a fixture: real servers for its validators and its archiver, in this process. */

import type { HashHex, Partition } from "../../protocol/brands.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE, networkHash } from "../../protocol/partition-hash.ts";
import { allNodes, storedPartitions } from "../../protocol/shard.ts";
import { applyFault } from "../faults/faults.ts";
import { NodeAccounts } from "../state/node-accounts.ts";
import type { AccountMaker } from "../state/seeded-state.ts";
import { HeldSnapshots } from "../validator/held-snapshots.ts";
import type { JsonServer } from "../validator/json-server.ts";
import { makeValidatorServer } from "../validator/validator-server.ts";
import { archiverIdentity, makeArchiverServer, makeNodeList } from "./archiver-server.ts";
import { firstCycleStart, makeCycleChain } from "./cycle-records.ts";
import type { Fixture } from "./fixture.ts";
import { exchangeGossip, type ReceivedGossip } from "./gossip-exchange.ts";
import { hashesOf, makeNetwork, type Network } from "./network.ts";
import { networkConfigHashOf, networkConfigOf } from "./network-config.ts";
import { honestSetup, type ValidatorSetup } from "./validator-setup.ts";

/** The description of a running cluster. */
export interface ClusterDescription {
  readonly name: string;
  readonly archiverUrl: string;
  /** 64 hex digits, for `--archiver-key`. */
  readonly archiverPublicKey: string;
  /** In ascending order of ID. A node that is down has a URL too. */
  readonly nodes: readonly { readonly index: number; readonly id: string; readonly url: string }[];
  /** Milliseconds. */
  readonly snapshotTimestamp: number;
  readonly snapshotCycle: number;
  /** The network hash of the true state, whatever the nodes vote for. */
  readonly networkHash: HashHex;
}

export interface Cluster extends ClusterDescription {
  /** Ends all servers, and their responses in progress. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly host?: string;
  /** Makes the accounts; by default as diverse as those of real networks. */
  readonly makeAccount?: AccountMaker;
}

export async function startCluster(fixture: Fixture, options: ClusterOptions = {}): Promise<Cluster> {
  const host = options.host ?? "127.0.0.1";
  const network = makeNetwork(fixture, options.makeAccount);
  const setups = makeSetups(fixture, network);
  const trueHashes = await hashesOf(network);
  const hashes = fixture.accountCopies ? trueHashes : emptyHashes(trueHashes);
  const gossip = exchangeGossip(network, setups, hashes);
  const cycles = makeCycleChain({
    ...fixture,
    activeNodes: fixture.nodes,
    networkHash: networkHash(hashes),
    networkConfigHash: fixture.networkConfigHash ? networkConfigHashOf(fixture) : undefined,
  });
  const servers: JsonServer[] = [];
  const listen = (server: JsonServer) => {
    servers.push(server);
    return server.listen(host);
  };
  const stop = async () => {
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    const validators = setups.map((setup) => makeValidator(fixture, network, setup, gossip));
    const urls = await Promise.all(validators.map(listen));
    const identity = archiverIdentity(fixture.seed);
    const listed = network.identities.map((own, index) => ({ identity: own, url: urls[index] ?? "" }));
    const nodeList = makeNodeList(fixture.seed, listed);
    const archiverUrl = await listen(
      makeArchiverServer({ identity, nodeList: () => nodeList, cycles: () => cycles }),
    );
    // Closed last, so that no other server gets the port of a node that is down.
    const down = validators.filter((_, index) => setups[index]?.isListening === false);
    await Promise.all(down.map((server) => server.close()));
    return {
      name: fixture.name,
      archiverUrl,
      archiverPublicKey: identity.publicKey,
      nodes: network.identities.map(({ id }, index) => ({ index, id, url: urls[index] ?? "" })),
      snapshotTimestamp: network.snapshotTimestamp,
      snapshotCycle: fixture.snapshotCycle,
      networkHash: networkHash(trueHashes),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function makeSetups(fixture: Fixture, network: Network): ValidatorSetup[] {
  return allNodes(network.shard).map((index) => {
    const setup = honestSetup(network, index, storedPartitions(network.shard, index));
    for (const fault of fixture.faults) applyFault(fault, setup);
    return setup;
  });
}

function emptyHashes(hashes: ReadonlyMap<Partition, HashHex>): Map<Partition, HashHex> {
  const empty = hashText(EMPTY_PREIMAGE);
  return new Map([...hashes.keys()].map((partition) => [partition, empty]));
}

function makeValidator(
  fixture: Fixture,
  network: Network,
  { number, stored, lies, hooks }: ValidatorSetup,
  gossip: ReceivedGossip,
): JsonServer {
  const startMs = firstCycleStart * 1000;
  const durationMs = network.cycleDurationMs;
  const clock = { startMs, durationMs, finalizedMs: startMs + fixture.cycles * durationMs };
  const snapshots = new HeldSnapshots(() => clock);
  snapshots.hold([[network.snapshotTimestamp, new NodeAccounts(network.state, stored, lies)]]);
  const received = number % 2 === 0 ? gossip.byEvenNodes : gossip.byOddNodes;
  return makeValidatorServer({
    netconfig: { config: networkConfigOf(fixture) },
    snapshots,
    gossipOf: (cycle) => (cycle === network.snapshotCycle ? received : undefined),
    hooks,
  });
}
