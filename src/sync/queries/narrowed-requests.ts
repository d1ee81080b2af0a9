/**
 * The requests to a node for certain partitions (PROTOCOL.md, Partial snapshots): one plain request if
 * everything that it stores is wanted, otherwise one request for each run of neighbouring partitions, and one for the global
 * accounts. Of a partition that has a base, only the rest is requested.
 */

import { addressAfter, addressSpace } from "../../protocol/address.ts";
import type { NodeIndex, Partition } from "../../protocol/brands.ts";
import {
  GLOBAL_PARTITION,
  partitionAfter,
  partitionRange,
  type Shard,
  storedCount,
  storedPartitions,
} from "../../protocol/shard.ts";
import type { SnapshotReq } from "../../protocol/snapshot-request.ts";
import type { Base, BeginningBase } from "./partition-bases.ts";

export interface NarrowedRequest {
  readonly request: SnapshotReq;
  /** The partitions that the response must contain, or complete. */
  readonly partitions: readonly Partition[];
  /** What the response is to complete. */
  readonly bases: ReadonlyMap<Partition, Base>;
}

export interface RequestRules {
  readonly shard: Shard;
  /** Milliseconds. */
  readonly timestamp: number;
  /** Returns whether a partition is known to have no accounts: a request may cover it, at no cost. */
  readonly isEmpty?: ((partition: Partition) => boolean) | undefined;
  /** Returns what the run already has of a partition. */
  readonly baseOf?: ((partition: Partition) => Base | undefined) | undefined;
}

/** @param partitions ascending; all of them are stored by the node */
export function narrowedRequests(
  rules: RequestRules,
  nodeIndex: NodeIndex,
  partitions: readonly Partition[],
): NarrowedRequest[] {
  const bases = new Map<Partition, Base>();
  for (const partition of partitions) {
    const base = rules.baseOf?.(partition);
    if (base !== undefined) bases.set(partition, base);
  }
  const requests: NarrowedRequest[] = [];
  for (const [changedSince, group] of groupsOf(partitions, bases)) {
    const ofGroup = new Map([...bases].filter(([partition]) => group.includes(partition)));
    const delta = changedSince === undefined ? {} : { changedSince };
    for (const { request, partitions: of } of requestsFor(rules, nodeIndex, group))
      requests.push({ request: { ...request, ...delta }, partitions: of, bases: ofGroup });
  }
  for (const [partition, base] of bases)
    if (base.kind === "beginning") requests.push(restOf(rules, partition, base));
  return requests;
}

/**
 * Returns the request to a mirror, which gives one partition at a time, and no changes: all of it, or what follows its
 * beginning.
 */
export function mirrorRequest(rules: RequestRules, partition: Partition): NarrowedRequest {
  const base = rules.baseOf?.(partition);
  if (base?.kind === "beginning") return restOf(rules, partition, base);
  const { low: accountStart, high: accountEnd } = addressesOf(rules.shard, partition);
  const isGlobal = partition === GLOBAL_PARTITION;
  const request = { timestamp: rules.timestamp, accountStart, accountEnd, isGlobal };
  return { request, partitions: [partition], bases: new Map() };
}

/** Groups partitions by the moment since which changes are requested; `undefined` for whole partitions. */
function groupsOf(
  partitions: readonly Partition[],
  bases: ReadonlyMap<Partition, Base>,
): Map<number | undefined, Partition[]> {
  const groups = new Map<number | undefined, Partition[]>();
  for (const partition of partitions) {
    const base = bases.get(partition);
    if (base?.kind === "beginning") continue;
    const group = groups.get(base?.changedSince);
    if (group === undefined) groups.set(base?.changedSince, [partition]);
    else group.push(partition);
  }
  return groups;
}

/** Returns the request for the accounts after the beginning of a partition. */
function restOf(
  { shard, timestamp }: RequestRules,
  partition: Partition,
  base: BeginningBase,
): NarrowedRequest {
  const isGlobal = partition === GLOBAL_PARTITION;
  const { high } = addressesOf(shard, partition);
  // The highest address is requested again where nothing is left: a range has at least one.
  const accountStart = base.lastId < high ? addressAfter(base.lastId) : high;
  return {
    request: { timestamp, accountStart, accountEnd: high, isGlobal },
    partitions: [partition],
    bases: new Map([[partition, base]]),
  };
}

function addressesOf(shard: Shard, partition: Partition): { readonly low: string; readonly high: string } {
  return partition === GLOBAL_PARTITION ? addressSpace : partitionRange(shard, partition);
}

function requestsFor(
  { shard, timestamp, isEmpty }: RequestRules,
  nodeIndex: NodeIndex,
  partitions: readonly Partition[],
): { request: SnapshotReq; partitions: readonly Partition[] }[] {
  const withGlobal = partitions.includes(GLOBAL_PARTITION);
  const local = partitions.filter((partition) => partition !== GLOBAL_PARTITION);
  if (isAllOf(shard, nodeIndex, local, isEmpty)) {
    return [{ request: withGlobal ? { timestamp } : { timestamp, isGlobal: false }, partitions }];
  }
  const requests: { request: SnapshotReq; partitions: readonly Partition[] }[] = runsOf(local, isEmpty).map(
    ({ first, last, partitions: of }) => {
      const accountStart = partitionRange(shard, first).low;
      const accountEnd = partitionRange(shard, last).high;
      return { request: { timestamp, accountStart, accountEnd, isGlobal: false }, partitions: of };
    },
  );
  if (withGlobal) requests.push({ request: { timestamp, isGlobal: true }, partitions: [GLOBAL_PARTITION] });
  return requests;
}

/** Whether nothing but empty partitions is left out of what a node stores. */
function isAllOf(
  shard: Shard,
  nodeIndex: NodeIndex,
  partitions: readonly Partition[],
  isEmpty: ((partition: Partition) => boolean) | undefined,
): boolean {
  if (partitions.length === 0) return false;
  if (partitions.length === storedCount(shard)) return true;
  if (isEmpty === undefined) return false;
  const isWanted = new Set(partitions);
  return storedPartitions(shard, nodeIndex).every(
    (partition) => isWanted.has(partition) || isEmpty(partition),
  );
}

interface Run {
  readonly first: Partition;
  last: Partition;
  readonly partitions: Partition[];
}

/** Neighbouring partitions together; a run does not go on over the end of the address space. */
function runsOf(partitions: readonly Partition[], isEmpty?: (partition: Partition) => boolean): Run[] {
  const runs: Run[] = [];
  for (const partition of partitions) {
    const run = runs.at(-1);
    let next = partitionAfter(run?.last ?? partition);
    while (next < partition && isEmpty?.(next)) next = partitionAfter(next);
    if (run !== undefined && next === partition) {
      run.partitions.push(partition);
      run.last = partition;
    } else runs.push({ first: partition, last: partition, partitions: [partition] });
  }
  return runs;
}
