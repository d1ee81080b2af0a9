/** The outcome of a command: data for stdout, as JSON and as text, and the failure. */

import type { NodeRecords } from "../app/nodes.ts";
import type { AssemblyPlan } from "../app/plan.ts";
import type { RestoreResult } from "../app/restore.ts";
import type { ResumeResult } from "../app/resume.ts";
import type { ServeResult } from "../app/serve.ts";
import type { CollectStatus } from "../collect/status.ts";
import type { RunSummary } from "../events/assemble-events.ts";
import type { Findings } from "../verify/findings/findings.ts";
import type { CommandFailure } from "./command-failure.ts";

export interface Outcome {
  /** The fields of the last JSON line, without `type`, `ok` and `exitCode`. */
  readonly summary: Readonly<Record<string, unknown>>;
  /** Returns the lines for people. */
  readonly lines?: () => readonly string[];
  readonly error?: CommandFailure;
}

/** By command: the summary with no result, so that the summary of a failure has every field. */
export const emptySummaries: Readonly<Record<string, Outcome["summary"]>> = {
  "": {
    timestamp: null,
    cycle: null,
    networkHash: null,
    digest: null,
    directory: null,
    partitions: { total: 0, verified: 0 },
    accounts: 0,
    bytes: { received: 0, seeded: 0, sources: [] },
    stateBytes: 0,
    queries: [],
    offences: [],
    warnings: [],
    damage: [],
    durationMs: 0,
  } satisfies RunSummary,
  plan: {
    timestamp: null,
    cycle: null,
    nodes: 0,
    shard: null,
    order: [],
    queries: [],
    requests: 0,
    orders: null,
    warnings: [],
  } satisfies Nullable<AssemblyPlan>,
  verify: {
    directory: null,
    timestamp: null,
    cycle: null,
    networkHash: null,
    digest: null,
    partitions: { total: 0, checked: 0, verified: 0 },
    subset: null,
    accounts: 0,
    bytes: 0,
    votes: [],
    nodeList: null,
    chain: "unread",
    claims: [],
    findings: [],
    findingsOmitted: 0,
    notes: [],
  } satisfies Omit<Nullable<Findings>, "ok">,
  restore: {
    to: null,
    snapshot: null,
    accounts: { total: 0, global: 0 },
    file: null,
    keptFile: null,
    accountHash: null,
    warnings: [],
    nextSteps: [],
  } satisfies Nullable<RestoreResult>,
  serve: { snapshots: [] } satisfies ServeResult,
  resume: {
    snapshot: null,
    replay: null,
    accounts: { total: 0, global: 0, changed: 0 },
    state: null,
    file: null,
    keptFile: null,
    warnings: [],
    nextSteps: [],
  } satisfies Nullable<ResumeResult>,
  collect: {
    newestCycle: null,
    cycles: { first: null, last: null, agreed: 0 },
    messages: 0,
    nodes: 0,
    pushed: { stored: 0, known: 0, refused: 0 },
    lastPoll: null,
    lastError: null,
  } satisfies Omit<CollectStatus, "ok">,
  nodes: { nodes: [], warnings: [] } satisfies NodeRecords,
};

type Nullable<T> = { readonly [Field in keyof T]: T[Field] | null };
