/** What a simulated run has at its start: seeds and beginnings, right or poisoned; and how peers serve what is missing. */

import { attemptsMax } from "../limits/http.ts";
import { beginningBytesMin } from "../limits/seed.ts";
import type { Partition } from "../protocol/brands.ts";
import type { Shard } from "../protocol/shard.ts";
import type { Base } from "../sync/queries/partition-bases.ts";
import type { Random } from "../testnet/state/random.ts";
import { addressAt, bytesOf, lowestAddressOf, slots, type VirtualList } from "./virtual-list.ts";

/** How a peer serves requests for a part of a partition. */
export interface PeerTraits {
  /**
   * What it sends where only changes are requested. `ignores`: everything; `omits`: none of the changes; `alters`: other
   * changes; `contradicts`: an account twice, differently.
   */
  readonly delta: "knows" | "ignores" | "omits" | "alters" | "contradicts";
  /** How many of its long responses it breaks off half-way. */
  readonly cuts: number;
}

/** A base, and the file with it. */
export interface InitialBase {
  readonly base: Base;
  readonly path: string;
  readonly list: VirtualList;
}

export interface InitialBases {
  readonly bases: ReadonlyMap<Partition, readonly InitialBase[]>;
  readonly traitsOf: () => PeerTraits;
  readonly isBrokenOff: boolean;
}

interface BaseSettings {
  readonly shard: Shard;
  readonly sizes: ReadonlyMap<Partition, number>;
  readonly missing: ReadonlySet<Partition>;
  readonly hasBases: boolean;
}

/** An older snapshot. */
interface VirtualSeed {
  readonly name: string;
  readonly changedSince: number;
  /** How much of each partition has changed since. */
  readonly changed: number;
  /** How many of its partitions are wrong, of 100. */
  readonly poisoned: number;
}

/** The moment of the simulated snapshot. */
export const simulatedTimestamp = 1_700_000_000_000;

const seedAgeMs = 1_800_000;

export function makeBases(random: Random, settings: BaseSettings): InitialBases {
  const kind = settings.hasBases
    ? random.pick(["none", "none", "seeds", "seeds", "beginnings", "both", "both", "broken-off"])
    : "none";
  if (kind === "none" || kind === "broken-off") {
    const cuts = kind === "none" ? 0 : Number.POSITIVE_INFINITY;
    const traitsOf = () => ({ delta: "knows", cuts }) as const;
    return { bases: new Map(), traitsOf, isBrokenOff: kind === "broken-off" };
  }
  const seeds = kind === "beginnings" ? [] : makeSeeds(random);
  const hasBeginnings = kind !== "seeds";
  const poisoned = random.pick([0, 30, 100]);
  const bases = new Map<Partition, InitialBase[]>();
  for (const partition of settings.missing) {
    const size = settings.sizes.get(partition) ?? 0;
    const of = seeds
      .filter(() => random.below(100) < 70)
      .map((seed) => olderBase(partition, seed, random.below(100) < seed.poisoned));
    const to = 1 + random.below(slots - 1);
    if (hasBeginnings && random.below(2) === 0 && bytesOf(size, { from: 0, to }) >= beginningBytesMin)
      of.push(beginningBase(settings.shard, { partition, size, to }, random.below(100) < poisoned));
    if (of.length > 0) bases.set(partition, of);
  }
  return { bases, traitsOf: traitsFrom(random), isBrokenOff: false };
}

function makeSeeds(random: Random): VirtualSeed[] {
  return Array.from({ length: 1 + random.below(3) }, (_, index) => ({
    name: `seed ${index}`,
    changedSince: simulatedTimestamp - (index + 1) * seedAgeMs,
    changed: random.pick([0, 0.001, 0.01, 0.1, 1]),
    poisoned: random.pick([0, 0, 20, 100]),
  }));
}

function olderBase(partition: Partition, seed: VirtualSeed, isPoisoned: boolean): InitialBase {
  const path = `${seed.name}/${partition}`;
  const { changedSince, changed } = seed;
  const wrong = isPoisoned ? `poisoned ${path}` : undefined;
  const list = { kind: "older", from: 0, to: slots, changedSince, changed, wrong } as const;
  const file = { path, compression: "none", low: "", high: "" } as const;
  return { base: { kind: "older", seed: seed.name, files: [file], changedSince }, path, list };
}

function beginningBase(
  shard: Shard,
  { partition, size, to }: { readonly partition: Partition; readonly size: number; readonly to: number },
  isPoisoned: boolean,
): InitialBase {
  const path = `earlier/${partition}`;
  const list = { kind: "whole", from: 0, to, wrong: isPoisoned ? `poisoned ${path}` : undefined } as const;
  const lastId = addressAt(shard, partition, to - 1);
  const file = { path, compression: "none", low: lowestAddressOf(shard, partition), high: lastId } as const;
  const bytes = bytesOf(size, list);
  return { base: { kind: "beginning", files: [file], lastId, bytes, peers: undefined }, path, list };
}

function traitsFrom(random: Random): () => PeerTraits {
  const unaware = random.pick([0, 0, 30, 100]);
  const lying = random.pick([0, 0, 20, 60]);
  const cutting = random.pick([0, 0, 30, 100]);
  return () => {
    const isLying = random.below(100) < lying;
    const isUnaware = random.below(100) < unaware;
    const honest = isUnaware ? "ignores" : "knows";
    return {
      delta: isLying ? random.pick(["omits", "alters", "contradicts"]) : honest,
      cuts: random.below(100) < cutting ? 1 + random.below(attemptsMax + 1) : 0,
    };
  };
}
