/** A network of independent validators behind an archiver, with a history of members that come and go. */

import { onTestFinished } from "vitest";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { asCycle, asNodeIndex } from "../../src/protocol/brands.ts";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { networkHash } from "../../src/protocol/partition-hash.ts";
import { makeShard, storedPartitions } from "../../src/protocol/shard.ts";
import { archiverIdentity } from "../../src/testnet/cluster/archiver-server.ts";
import { firstCycleStart } from "../../src/testnet/cluster/cycle-records.ts";
import { exchangeGossip } from "../../src/testnet/cluster/gossip-exchange.ts";
import { hashesOf, makeIdentities, type Network } from "../../src/testnet/cluster/network.ts";
import { honestSetup } from "../../src/testnet/cluster/validator-setup.ts";
import { NodeAccounts } from "../../src/testnet/state/node-accounts.ts";
import { SeededState, type StateSettings } from "../../src/testnet/state/seeded-state.ts";
import { HeldSnapshots } from "../../src/testnet/validator/held-snapshots.ts";
import type { Identity } from "../../src/testnet/validator/identity.ts";
import { makeValidatorServer } from "../../src/testnet/validator/validator-server.ts";
import { asHashes } from "../helpers/brands.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { readVectors } from "../helpers/vectors.ts";
import { activeAfter, makeCoreRecords, type NodeLife, type StoredRecord } from "./core-records.ts";

export interface HistorySettings {
  /** The number of nodes that the network has ever had. */
  readonly nodes: number;
  readonly snapshotCycle: number;
  readonly newest: number;
  /** The lives of nodes, by index in ascending order of ID. Other nodes join first and stay. */
  readonly lives?: Readonly<Record<number, Partial<Omit<NodeLife, "identity" | "port">>>>;
  /** Nodes that do not respond. Nodes that have left respond. */
  readonly gone?: readonly number[];
  readonly shutdown?: number;
  readonly mode?: string;
  /** Nodes that records name at their removal only. */
  readonly isForgotten?: readonly number[];
  /** Records as before `useNetworkModes`. */
  readonly hasNetworkHashes?: boolean;
  /** Changes of the configuration that validators serve. */
  readonly config?: Readonly<Record<string, object>>;
  /** The hash of the configuration in the records, instead of the true one. */
  readonly recordedConfigHash?: string;
  readonly archivers?: number;
  /** Changes of the state: its accounts, and who makes them. */
  readonly state?: Partial<StateSettings>;
}

export interface RunningHistory {
  readonly archivers: readonly string[];
  readonly archiverKey: string;
  readonly timestamp: number;
  /** The expected hashes of the snapshot, computed from FORMAT.md. */
  readonly expected: { readonly networkHash: string; readonly digest: string };
  /** Of the nodes of the snapshot's cycle. */
  readonly nodeIds: readonly string[];
  /** The nodes of the snapshot's cycle, as a node list. */
  readonly nodesOfCycle: object;
  readonly records: readonly StoredRecord[];
  readonly archiver: Identity;
  /** The active nodes after the newest record. */
  readonly active: readonly NodeLife[];
  /** The options to assemble the snapshot from the first archiver. */
  readonly options: AssembleOptions;
}

const seed = "published archiver";
const cycleDuration = 60;
const sharding = { nodesPerConsensusGroup: 5, nodesPerEdge: 2 };

/** The published core's configuration, with snapshots on. */
function configOf(changes: HistorySettings["config"] = {}): object {
  const { config } = readVectors<{ answer: { config: Record<string, object> } }>("netconfig").answer;
  return {
    ...config,
    debug: { ...config["debug"], disableSnapshots: false, ...changes["debug"] },
    stateManager: { ...config["stateManager"], useAccountCopiesTable: true, ...changes["stateManager"] },
  };
}

/** Starts an archiver with records, and with the active nodes after the newest record. Returns its URL. */
export type StartArchiver = (
  identity: Identity,
  records: readonly StoredRecord[],
  active: readonly NodeLife[],
) => Promise<string>;

/** Starts the network and its archivers, which end with the test. */
export async function startHistory(
  settings: HistorySettings,
  startArchiver: StartArchiver,
): Promise<RunningHistory> {
  const { snapshotCycle, newest, shutdown, mode } = settings;
  const config = configOf(settings.config);
  const clock = clockOf(newest);
  const held = Array.from({ length: settings.nodes }, () => new HeldSnapshots(() => clock));
  const heard = new Map<number, readonly string[]>();
  const servers = held.map((snapshots, index) =>
    makeValidatorServer({
      netconfig: { config },
      snapshots,
      gossipOf: (cycle) => (cycle === snapshotCycle ? heard.get(index) : undefined),
    }),
  );
  onTestFinished(async () => {
    await Promise.all(servers.map((server) => server.close()));
  });
  const urls = await Promise.all(servers.map((server) => server.listen("127.0.0.1")));
  const lives = makeIdentities(seed, settings.nodes).map((identity, index): NodeLife => {
    const port = Number(new URL(urls[index] ?? "").port);
    return { identity, port, joined: 0, activated: 1, ...settings.lives?.[index] };
  });
  const chain = {
    lives,
    newest,
    cycleDuration,
    shutdown,
    mode,
    networkConfigHash: settings.recordedConfigHash ?? hashOf(config),
  };
  const members = activeAfter(chain, snapshotCycle);
  const network = networkOf(members, snapshotCycle, settings.state);
  const hashes = await hashesOf(network);
  const setups = members.map((_, index) =>
    honestSetup(network, asNodeIndex(index), storedPartitions(network.shard, asNodeIndex(index))),
  );
  const gossip = exchangeGossip(network, setups, hashes);
  members.forEach((life, index) => {
    const accounts = new NodeAccounts(network.state, setups[index]?.stored ?? [], new Set());
    held[lives.indexOf(life)]?.hold([[network.snapshotTimestamp, accounts]]);
    heard.set(lives.indexOf(life), gossip.byEvenNodes);
  });
  await Promise.all((settings.gone ?? []).map((index) => servers[index]?.close()));
  const hashOfNetwork = networkHash(hashes);
  const networkHashes = settings.hasNetworkHashes
    ? new Map(
        Array.from({ length: newest }, (_, c) => [c, c === snapshotCycle ? hashOfNetwork : hashText(`${c}`)]),
      )
    : undefined;
  const records = makeCoreRecords({
    ...chain,
    networkHashes,
    forgotten: new Set(settings.isForgotten?.map((at) => lives[at])),
  });
  const identity = archiverIdentity(seed);
  const archivers = await Promise.all(
    Array.from({ length: settings.archivers ?? 1 }, () =>
      startArchiver(identity, records, activeAfter(chain, newest)),
    ),
  );
  return {
    archivers,
    records,
    archiver: identity,
    active: activeAfter(chain, newest),
    archiverKey: identity.publicKey,
    timestamp: network.snapshotTimestamp,
    expected: { networkHash: hashOfNetwork, digest: digestOf(network, hashes) },
    nodeIds: members.map((member) => member.identity.id),
    nodesOfCycle: {
      nodeList: members.map(({ identity: { id, publicKey }, port }) => ({
        id,
        publicKey,
        ip: "127.0.0.1",
        port,
      })),
    },
    options: {
      archiver: archivers[0],
      archiverKey: identity.publicKey,
      timestamp: `cycle:${snapshotCycle}`,
      out: temporaryDirectory(),
      connectTimeoutMs: 2_000,
      stallTimeoutMs: 5_000,
    },
  };
}

function hashOf(value: unknown): string {
  return hashText(canonicalTextOf(value));
}

function networkOf(
  members: readonly NodeLife[],
  snapshotCycle: number,
  changes: HistorySettings["state"],
): Network {
  const shard = makeShard({ numNodes: members.length, ...sharding });
  const snapshotTimestamp = (firstCycleStart + (snapshotCycle + 1) * cycleDuration) * 1000;
  const state = {
    seed,
    accounts: 40 * members.length,
    globalAccounts: 3,
    accountBytes: 200,
    emptyPartitions: [],
    timestampMs: snapshotTimestamp,
    ...changes,
  };
  return {
    seed,
    identities: members.map(({ identity }) => identity),
    shard,
    state: new SeededState(state, shard),
    snapshotCycle: asCycle(snapshotCycle),
    snapshotTimestamp,
    cycleDurationMs: cycleDuration * 1000,
  };
}

function clockOf(newest: number) {
  const startMs = firstCycleStart * 1000;
  const durationMs = cycleDuration * 1000;
  return { startMs, durationMs, finalizedMs: startMs + (newest + 1) * durationMs };
}

function digestOf(
  { snapshotTimestamp, snapshotCycle }: Network,
  hashes: ReadonlyMap<number, string>,
): string {
  const entries: [string, string][] = [
    ["format.version", "1"],
    ["snapshot.timestamp", String(snapshotTimestamp)],
    ["snapshot.cycle", String(snapshotCycle)],
    ["hash.key", DEFAULT_HASH_KEY],
    ["network.hash", networkHash(asHashes(hashes))],
    ...[...hashes].map(([partition, hash]): [string, string] => [`partition.${partition}`, hash]),
  ];
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return hashText(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
}
