/**
 * What a run need not fetch of the missing partitions: those that a seed has unchanged are taken over, the others are
 * requested as a delta of a seed, or behind the beginning that an earlier run received.
 */

import type { RunLog } from "../../../events/run-log.ts";
import { beginningBytesMin } from "../../../limits/seed.ts";
import { highestAddress, lowestAddress } from "../../../protocol/address.ts";
import type { HashHex, Partition } from "../../../protocol/brands.ts";
import { GLOBAL_PARTITION, partitionRange, type Shard } from "../../../protocol/shard.ts";
import { scanBeginning } from "../../../seed/beginning.ts";
import { findSeeds } from "../../../seed/find-seeds.ts";
import { mergeInThread, prepareMergeThreads } from "../../../seed/merge-threads.ts";
import { changedSince, filesOf, fileWithHash, type Seed } from "../../../seed/seed.ts";
import type { PartialSnapshot } from "../../../store/partial-snapshot.ts";
import type { Base, BeginningBase, OlderBase } from "../../../sync/queries/partition-bases.ts";
import type { Run } from "../assembly-run.ts";

export interface SeedContext {
  readonly shard: Shard;
  readonly agreedHashes: ReadonlyMap<Partition, HashHex>;
  readonly hashKey: string;
  readonly log: RunLog;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts what completes partitions if there is a seed, so that it is ready when the first delta comes.
 *
 * @throws SnapshotError `configuration` if a seed that the user names cannot be used
 */
export async function prepareForSeeds({ settings }: Run, timestamp: number): Promise<void> {
  const seeds = await findSeeds(settings.fetching.seeds, { ...settings.output, timestamp });
  if (seeds.some((seed) => seed.timestamp <= timestamp)) prepareMergeThreads();
}

/**
 * Takes over what has not changed.
 *
 * @param missing partitions that are taken over are removed from it
 */
export async function takeUnchanged(
  seeds: readonly Seed[],
  partial: PartialSnapshot,
  missing: Set<Partition>,
  context: SeedContext,
): Promise<void> {
  for (const partition of missing) {
    const hash = context.agreedHashes.get(partition);
    for (const seed of seeds) {
      context.signal?.throwIfAborted();
      const file = hash === undefined ? undefined : fileWithHash(seed, partition, hash);
      if (file === undefined || hash === undefined) continue;
      const scan = await partial.adopt(partition, hash, file);
      if (scan === undefined) continue;
      missing.delete(partition);
      keep(context.log, partition, seed, scan);
      break;
    }
  }
  await cutUnchanged(seeds, partial, missing, context);
}

/**
 * Cuts partitions out of a seed with other partitions. Its hashes do not tell whether anything has changed: the first
 * partition that has changed ends the attempt.
 */
async function cutUnchanged(
  seeds: readonly Seed[],
  partial: PartialSnapshot,
  missing: Set<Partition>,
  { shard, agreedHashes, hashKey, log, signal }: SeedContext,
): Promise<void> {
  const { timestamp } = partial;
  const seed = seeds.find((other) => other.timestamp <= timestamp && other.lacks === "nothing");
  if (seed === undefined || hasHashesOf(seed, shard)) return;
  for (const partition of missing) {
    if (partition === GLOBAL_PARTITION && seed.global?.hash !== undefined) continue;
    signal?.throwIfAborted();
    const base = filesOf(seed, shard, partition);
    if (base === undefined) continue;
    const path = partial.incomingPath(0, partition, "rest");
    const cut = await mergeInThread({ base, received: undefined, path, hashKey, timestamp });
    if (cut.kind === "unusable" || cut.hash !== agreedHashes.get(partition)) {
      await partial.discard(path);
      return;
    }
    await partial.accept(partition, path);
    missing.delete(partition);
    keep(log, partition, seed, cut);
  }
}

/** Returns whether the hashes of a seed have already told which partitions are unchanged. */
function hasHashesOf({ lists }: Seed, { numNodes }: Shard): boolean {
  return lists.length === numNodes && lists.every(({ hash }) => hash !== undefined);
}

function keep(
  log: RunLog,
  partition: Partition,
  { name: seed }: Seed,
  { accounts, bytes }: { readonly accounts: number; readonly bytes: number },
): void {
  log.record({
    type: "kept",
    partitions: [partition],
    accounts,
    bytes,
    source: { kind: "seed", seed, id: null },
  });
}

/** Returns what the run already has of the missing partitions: a seed first, since a delta is short. */
export async function findBases(
  seeds: readonly Seed[],
  partial: PartialSnapshot,
  missing: ReadonlySet<Partition>,
  shard: Shard,
): Promise<Map<Partition, Base[]>> {
  const earlier = await partial.earlierBeginnings();
  const bases = new Map<Partition, Base[]>();
  for (const partition of missing) {
    const path = earlier.get(partition);
    const found = [
      olderBase(seeds, partial.timestamp, partition, shard),
      path === undefined ? undefined : await beginningBase(path, partition, shard),
    ].filter((base) => base !== undefined);
    if (found.length > 0) bases.set(partition, found);
  }
  return bases;
}

function olderBase(
  seeds: readonly Seed[],
  timestamp: number,
  partition: Partition,
  shard: Shard,
): OlderBase | undefined {
  for (const seed of seeds) {
    const files = seed.timestamp <= timestamp ? filesOf(seed, shard, partition) : undefined;
    if (files !== undefined)
      return { kind: "older", seed: seed.name, files, changedSince: changedSince(seed) };
  }
  return undefined;
}

async function beginningBase(
  path: string,
  partition: Partition,
  shard: Shard,
): Promise<BeginningBase | undefined> {
  const range = partition === GLOBAL_PARTITION ? addressSpace : partitionRange(shard, partition);
  const whole = await scanBeginning(path, range).catch(() => undefined);
  if (whole === undefined || whole.bytes < beginningBytesMin) return undefined;
  const { lastId, bytes } = whole;
  const file = { path, compression: "none", bytes, low: range.low, high: lastId } as const;
  return { kind: "beginning", files: [file], lastId, bytes, peers: undefined };
}

const addressSpace = { low: lowestAddress(0), high: highestAddress(2 ** 32 - 1) };
