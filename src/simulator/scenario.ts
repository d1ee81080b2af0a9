/** A network generated from a seed: its geometry, its state, and the behaviour of each peer. */

import { attemptsMax } from "../limits/http.ts";
import { asNodeId, type NodeIndex, type Partition } from "../protocol/brands.ts";
import {
  allNodes,
  allPartitions,
  GLOBAL_PARTITION,
  makeShard,
  type Shard,
  stores,
} from "../protocol/shard.ts";
import { type OrderRule, orderRules } from "../sync/strategy/order-rule.ts";
import { Random } from "../testnet/state/random.ts";
import { type InitialBase, makeBases, type PeerTraits } from "./initial-bases.ts";
import { makeMirrors } from "./mirrors.ts";
import type { Behaviour, VirtualPeer, VirtualValidator } from "./virtual-peer.ts";

export interface Scenario {
  readonly seed: string;
  readonly shard: Shard;
  /** The validators. */
  readonly peers: readonly VirtualValidator[];
  /** Their indices follow those of the validators, and each stores every partition. */
  readonly mirrors: readonly VirtualPeer[];
  /** Partition → bytes; 0 for one without accounts. */
  readonly sizes: ReadonlyMap<Partition, number>;
  readonly missing: ReadonlySet<Partition>;
  readonly rule: OrderRule;
  readonly concurrency: number;
  readonly hasOlder: boolean;
  /** Bytes that fit on the disk. */
  readonly diskBytes: number;
  /** Partition → what the run has of it at its start. */
  readonly bases: ReadonlyMap<Partition, readonly InitialBase[]>;
  /** Whether all peers are honest, and break off every long response half-way. */
  readonly isBrokenOff: boolean;
  /** The time that the run needs to complete a base, or to keep a beginning. */
  readonly completeMs: number;
}

/** The least rate of a peer that is not slow. */
export const fastBytesPerMs = 2_000;

const KB = 1_000;
const MB = 1_000_000;

/**
 * What a simulated run may have. `bases`: seeds and beginnings, and peers that break off or lie in deltas; `mirrors`:
 * these and mirrors.
 */
export type Extras = "none" | "bases" | "mirrors";

export function makeScenario(seed: string, extras: Extras = "mirrors"): Scenario {
  const hasBases = extras !== "none";
  const random = Random.named("simulate", seed);
  const numNodes = sizeOfNetwork(random);
  const shard = makeShard({
    numNodes,
    nodesPerConsensusGroup: 1 + random.below(Math.min(2 * numNodes, 24)),
    nodesPerEdge: random.below(4),
  });
  const typical = random.pick([2 * KB, 50 * KB, MB, 20 * MB, 90 * MB]);
  const sizes = makeSizes(random, shard, typical);
  const hostility = random.pick([0, 0.1, 0.3, 0.5, 0.8]);
  const slowness = random.pick([0, 0, 0.1, 0.5]);
  const isAware = random.below(4) > 0;
  const settled = allNodes(shard).map((index) =>
    makePeer(random, { index, shard, typical, hostility, slowness, isAware }),
  );
  const resumed = random.pick([0, 0, 0.5, 0.95]);
  const partitions = allPartitions(shard).filter((partition) => (sizes.get(partition) ?? 0) > 0);
  const missing = new Set(partitions.filter(() => random.below(1_000) / 1_000 >= resumed));
  const [rule, concurrency] = [random.pick([...orderRules]), 1 + random.below(8)];
  const hasOlder = random.below(4) === 0;
  const diskBytes = makeDisk(random, sizes);
  // A stream of its own: the networks of seeds that were found without bases stay the same.
  const own = Random.named("bases", seed);
  const { bases, traitsOf, isBrokenOff } = makeBases(own, { shard, sizes, missing, hasBases });
  const races = Random.named("races", seed);
  const hasRaces = hasBases && !isBrokenOff && races.below(2) === 0 && numNodes <= racingNodesMax;
  const peers = settled
    .map((peer) => ({ ...peer, ...(isBrokenOff ? dependable : {}), ...traitsOf() }))
    .map((peer) => (hasRaces ? makeRacing(races, peer, { shard, typical }) : peer));
  const { mirrors, isGone } = makeMirrors(Random.named("mirrors", seed), {
    partitions: allPartitions(shard),
    numNodes,
    typical,
    hasMirrors: extras === "mirrors" && !isBrokenOff,
  });
  const completeMs = hasBases ? races.pick([50, 50, 50, 3_000, 20_000]) : 50;
  return {
    ...{
      seed,
      shard,
      peers: isGone ? peers.map(withoutSnapshot) : peers,
      mirrors,
      sizes,
      missing,
      rule,
      concurrency,
      hasOlder,
      bases,
      isBrokenOff,
      completeMs,
    },
    diskBytes: isBrokenOff ? Number.MAX_SAFE_INTEGER : diskBytes,
  };
}

const dependable = { behaviour: { kind: "honest" }, knowsRanges: true, isSorted: true } as const;

/** The validators keep only newer snapshots. */
function withoutSnapshot(peer: VirtualValidator): VirtualValidator {
  return { ...peer, behaviour: { kind: "drops", atMs: 0 } };
}

/** The validators and mirrors that store a partition. */
export function sourcesOf({ peers, mirrors, shard }: Scenario, partition: Partition): VirtualPeer[] {
  return [...peers.filter(({ index }) => stores(shard, index, partition)), ...mirrors];
}

export function hasSmallDisk({ diskBytes }: Scenario): boolean {
  return diskBytes < Number.MAX_SAFE_INTEGER;
}

/** Whether a peer serves every partition that it stores, however long it takes. */
export function isReliable(
  { behaviour, cuts, delta }: VirtualPeer,
  { hasOlder, isBrokenOff }: Scenario,
): boolean {
  if (isBrokenOff) return true;
  if (delta === "contradicts") return false;
  if (cuts > 0 && !(behaviour.kind === "honest" && cuts < attemptsMax)) return false;
  switch (behaviour.kind) {
    case "honest":
      return true;
    case "refuses":
      // Where an older snapshot may be taken instead, exports are not waited for.
      return behaviour.times < attemptsMax && !(behaviour.status === 425 && hasOlder);
    case "breaks-off":
      return behaviour.times < attemptsMax;
    default:
      return false;
  }
}

/** Whether a peer behaves as an honest and healthy one. */
export function isHonest({ behaviour, delta }: VirtualPeer): boolean {
  // Whoever omits or alters changes is not blamed either: the base may be wrong.
  if (delta === "contradicts") return false;
  switch (behaviour.kind) {
    case "lies":
    case "withholds":
    case "stalls":
    case "malformed":
    case "endless":
    case "adds":
    case "strays":
    case "lingers":
      return false;
    case "honest":
    case "down":
    case "dies":
    case "refuses":
    case "drops":
    case "joins":
    case "breaks-off":
      return true;
  }
}

function sizeOfNetwork(random: Random): number {
  switch (random.below(100)) {
    case 0:
      return 200 + random.below(801);
    case 1:
    case 2:
    case 3:
      return 50 + random.below(150);
    default:
      return 1 + random.below(30);
  }
}

function makeSizes(random: Random, shard: Shard, typical: number): Map<Partition, number> {
  const emptyShare = random.pick([0, 0, 20, 70]);
  const sizeOf = (partition: Partition) => {
    if (random.below(100) < emptyShare) return 0;
    const size = partition === GLOBAL_PARTITION ? typical / 10 : typical;
    return Math.round(size * (0.2 + (1.6 * random.below(1_000)) / 1_000));
  };
  return new Map(allPartitions(shard).map((partition) => [partition, sizeOf(partition)]));
}

/** Sometimes the disk has little more space than the snapshot needs, or less. */
function makeDisk(random: Random, sizes: ReadonlyMap<Partition, number>): number {
  const share = random.pick([0, 0, 0, 0.8, 1.2, 2, 5]);
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return share === 0 ? Number.MAX_SAFE_INTEGER : Math.round(share * bytes);
}

interface PeerSettings {
  readonly index: NodeIndex;
  readonly shard: Shard;
  /** Bytes of a partition. */
  readonly typical: number;
  readonly hostility: number;
  readonly slowness: number;
  readonly isAware: boolean;
}

function makePeer(random: Random, settings: PeerSettings): Omit<VirtualValidator, keyof PeerTraits> {
  const { index, shard, typical, hostility, slowness, isAware } = settings;
  const isSlow = random.below(1_000) / 1_000 < slowness;
  // Slow peers need up to a quarter of an hour for a partition.
  const bytesPerMs = isSlow
    ? typical / random.pick([10_000, 100_000, 900_000])
    : fastBytesPerMs + random.below(100_000);
  return {
    index,
    id: asNodeId(index.toString(16).padStart(64, "0")),
    behaviour:
      random.below(1_000) / 1_000 < hostility ? makeBehaviour(random, shard, index) : { kind: "honest" },
    latencyMs: isSlow ? random.below(5_000) : 1 + random.below(150),
    bytesPerMs,
    knowsRanges: isAware || random.below(2) === 0,
    isSorted: random.below(5) > 0,
  };
}

/** A partition of a larger network has so many sources that hedges rarely meet. */
const racingNodesMax = 8;

/** Makes a peer slow or fast, right or wrong, and break off: hedged responses then end in every order. */
function makeRacing(
  random: Random,
  peer: VirtualValidator,
  { shard, typical }: { readonly shard: Shard; readonly typical: number },
): VirtualValidator {
  const partitions = new Set(
    allPartitions(shard).filter((partition) => stores(shard, peer.index, partition)),
  );
  const isLying = random.below(2) === 0;
  return {
    ...peer,
    ...dependable,
    behaviour: isLying ? { kind: "lies", partitions, isColluding: false } : { kind: "honest" },
    bytesPerMs: typical / (100 + random.below(random.pick([5_000, 60_000]))),
    cuts: isLying ? Number.POSITIVE_INFINITY : random.pick([0, 0, 1, 2, 4]),
  };
}

function makeBehaviour(random: Random, shard: Shard, index: NodeIndex): Behaviour {
  const some = () => {
    const stored = allPartitions(shard).filter((partition) => stores(shard, index, partition));
    const share = random.pick([1, 0.5, 0.1]);
    return new Set(stored.filter(() => share === 1 || random.below(1_000) / 1_000 < share));
  };
  const atMs = random.below(30_000);
  const kinds: readonly [() => Behaviour, ...(() => Behaviour)[]] = [
    () => ({ kind: "down" }),
    () => ({ kind: "dies", atMs }),
    () => ({ kind: "lies", partitions: some(), isColluding: random.below(2) === 0 }),
    () => ({ kind: "withholds", partitions: some() }),
    () => ({ kind: "stalls" }),
    () => ({
      kind: "refuses",
      status: random.pick([425, 429, 503] as const),
      times: 1 + random.below(attemptsMax + 1),
      retryAfterMs: random.pick([0, 1_000, 20_000]),
    }),
    () => ({ kind: "drops", atMs }),
    () => ({ kind: "joins", atMs }),
    () => ({ kind: "breaks-off", times: 1 + random.below(attemptsMax + 1) }),
    () => ({ kind: "malformed" }),
    () => ({ kind: "endless" }),
    () => ({ kind: "adds" }),
    () => ({ kind: "strays" }),
    () => ({ kind: "lingers" }),
  ];
  return random.pick(kinds)();
}
