/** The state of a run, a pure fold of its events; and its summary. */

import { basisOf, dependsOnSharding, type Offence, type ReportedOffence } from "../errors/offence.ts";
import { findingsMax } from "../limits/snapshot.ts";
import { offencesPerNodeMax } from "../limits/sync.ts";
import { type Cycle, type HashHex, isMirrorUrl, type Partition } from "../protocol/brands.ts";
import { messageLine } from "../text/printable.ts";
import type {
  DamagedFile,
  PartitionSource,
  Progress,
  QueryRecord,
  RunSummary,
  SourceBytes,
} from "./assemble-events.ts";
import { appended, type Chain, listOf } from "./chain.ts";
import type { KeptPartitions, RunEvent } from "./run-events.ts";
import type { SyncEvent } from "./sync-events.ts";

export interface RunState {
  readonly boundary: {
    readonly timestamp: number | null;
    readonly cycle: Cycle | null;
    readonly networkHash: HashHex | null;
    /** While nothing proves the settings, offences that depend on them are not held against nodes. */
    readonly areSettingsProved: boolean;
  };
  readonly progress: Progress;
  /** Bytes of the verified partitions' preimages. */
  readonly stateBytes: number;
  readonly verified: Chain<VerifiedPartitions>;
  readonly queries: Chain<QueryRecord>;
  readonly offences: {
    readonly recorded: Chain<ReportedOffence>;
    /** Node ID → how many of its offences are recorded. */
    readonly byNode: ReadonlyMap<string, number>;
  };
  readonly warnings: Chain<string>;
  readonly damage: readonly DamagedFile[];
  readonly published: { readonly directory: string; readonly digest: string } | undefined;
}

export interface VerifiedPartitions {
  readonly partitions: readonly Partition[];
  readonly source: PartitionSource;
  /** Bytes of the source itself, without those that a node gave for a seed. */
  readonly sourceBytes: number;
}

export const initialState: RunState = {
  boundary: { timestamp: null, cycle: null, networkHash: null, areSettingsProved: true },
  progress: { partitions: { total: 0, verified: 0 }, accounts: 0, bytes: { received: 0, seeded: 0 } },
  stateBytes: 0,
  verified: undefined,
  queries: undefined,
  offences: { recorded: undefined, byNode: new Map() },
  warnings: undefined,
  damage: [],
  published: undefined,
};

/** Returns the state after an event, which is the same object if the event changes nothing. */
export function reduce(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case "stage":
    case "request":
    case "mismatched":
    case "unfit-base":
      return state;
    case "warning":
      return { ...state, warnings: appended(state.warnings, messageLine(event.message)) };
    case "boundary":
      return withBoundary(state, event);
    case "settings":
      return { ...state, boundary: { ...state.boundary, areSettingsProved: event.areProved } };
    case "agreed":
      return { ...state, boundary: { ...state.boundary, networkHash: event.networkHash } };
    case "damaged":
      return { ...state, damage: [...state.damage, ...event.files].slice(0, findingsMax) };
    case "kept":
      return withVerified(state, event);
    case "verified": {
      const { partition, base, bytes, baseBytes } = event;
      const sourceBytes = base?.kind === "seed" ? baseBytes : bytes;
      return withVerified(state, { ...event, partitions: [partition], source: sourceOf(event) }, sourceBytes);
    }
    case "received": {
      const { bytes } = state.progress;
      const received = bytes.received + event.bytes;
      return { ...state, progress: { ...state.progress, bytes: { ...bytes, received } } };
    }
    case "response":
      return { ...state, queries: appended(state.queries, queryOf(event)) };
    case "offence":
      return withOffence(state, event.offence);
    case "published":
      return { ...state, published: { directory: event.directory, digest: event.digest } };
  }
}

function withBoundary(
  state: RunState,
  { timestamp, cycle, partitions: total }: Extract<RunEvent, { type: "boundary" }>,
): RunState {
  const { received } = state.progress.bytes;
  return {
    ...state,
    boundary: { ...state.boundary, timestamp, cycle, networkHash: null },
    progress: { partitions: { total, verified: 0 }, accounts: 0, bytes: { received, seeded: 0 } },
    stateBytes: 0,
    verified: undefined,
    damage: [],
  };
}

function withVerified(
  state: RunState,
  { partitions, source, accounts, bytes }: KeptPartitions,
  sourceBytes = bytes,
): RunState {
  const { progress } = state;
  const seeded = progress.bytes.seeded + (source.kind === "seed" ? sourceBytes : 0);
  const { total, verified } = progress.partitions;
  return {
    ...state,
    progress: {
      ...progress,
      partitions: { total, verified: verified + partitions.length },
      accounts: progress.accounts + accounts,
      bytes: { ...progress.bytes, seeded },
    },
    stateBytes: state.stateBytes + bytes,
    verified: appended(state.verified, { partitions, source, sourceBytes }),
  };
}

function sourceOf({ node, base }: Extract<SyncEvent, { type: "verified" }>): PartitionSource {
  if (isMirrorUrl(node))
    return base === undefined ? { kind: "mirror", url: node } : { kind: "continued", url: node };
  if (base === undefined) return { kind: "node", id: node };
  return base.kind === "seed" ? { kind: "seed", seed: base.seed, id: node } : { kind: "continued", id: node };
}

function withOffence(state: RunState, offence: Offence): RunState {
  if (!state.boundary.areSettingsProved && dependsOnSharding(offence.kind)) return state;
  const { recorded, byNode } = state.offences;
  const count = byNode.get(offence.node) ?? 0;
  if (count >= offencesPerNodeMax) return state;
  const reported = { ...offence, detail: messageLine(offence.detail), basis: basisOf(offence.kind) };
  return {
    ...state,
    offences: {
      recorded: appended(recorded, reported),
      byNode: new Map(byNode).set(offence.node, count + 1),
    },
  };
}

function queryOf({
  type: _,
  status,
  ...query
}: Extract<SyncEvent, { readonly type: "response" }>): QueryRecord {
  return status === undefined ? query : { ...query, status };
}

/** Returns the source of each partition. */
export function sourcesOf(state: RunState): ReadonlyMap<number, PartitionSource> {
  const sources = new Map<number, PartitionSource>();
  for (const { partitions, source } of listOf(state.verified)) {
    for (const partition of partitions) sources.set(partition, source);
  }
  return sources;
}

/** Returns how much came from where, the sources in the order in which they were first used. */
function bytesBySource({ queries, verified }: RunState): SourceBytes[] {
  const sources = new Map<string, SourceBytes>();
  const add = (key: string, source: SourceBytes["source"], more: number) => {
    if (more > 0) sources.set(key, { source, bytes: (sources.get(key)?.bytes ?? 0) + more });
  };
  for (const { node, bytes } of listOf(queries)) {
    const source = isMirrorUrl(node)
      ? ({ kind: "mirror", url: node } as const)
      : ({ kind: "node", id: node } as const);
    add(`${source.kind} ${node}`, source, bytes);
  }
  for (const { source, sourceBytes } of listOf(verified)) {
    if (source.kind === "seed") add(`seed ${source.seed}`, { kind: "seed", seed: source.seed }, sourceBytes);
    if (source.kind === "resumed" || source.kind === "published")
      add(source.kind, { kind: source.kind }, sourceBytes);
  }
  return [...sources.values()];
}

export function summaryOf(state: RunState, durationMs: number): RunSummary {
  const { timestamp, cycle, networkHash } = state.boundary;
  return {
    timestamp,
    cycle,
    networkHash,
    digest: state.published?.digest ?? null,
    directory: state.published?.directory ?? null,
    ...state.progress,
    bytes: { ...state.progress.bytes, sources: bytesBySource(state) },
    stateBytes: state.stateBytes,
    queries: listOf(state.queries),
    offences: listOf(state.offences.recorded),
    warnings: listOf(state.warnings),
    damage: state.damage,
    durationMs: Math.round(durationMs),
  };
}
