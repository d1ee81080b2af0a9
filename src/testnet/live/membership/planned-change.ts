/** The changes of the nodes of a live cluster that its user or its seed plans: which validator, what, and from when on. */

import { SnapshotError } from "../../../errors/snapshot-error.ts";
import { asCycle, type Cycle } from "../../../protocol/brands.ts";
import type { LiveSettings, MembershipSettings } from "../live-settings.ts";
import { ChurnPlan } from "./churn-plan.ts";

/** `kill`: the validator dies, and the network notices it. */
export type ChangeKind = "join" | "leave" | "kill";

export interface PlannedChange {
  readonly kind: ChangeKind;
  /** The number of the validator. The first ones are numbered in ascending order of ID, others are new. */
  readonly validator: number;
  /** The cycle at whose beginning it happens, or as soon after it as it can. */
  readonly cycle: Cycle;
}

export interface MembershipPlan {
  /** Returns the changes at the beginning of a cycle. Called for each cycle from 1 on, in order. */
  changesAt(cycle: Cycle): readonly PlannedChange[];
}

/** @throws SnapshotError `usage` where a change is malformed or impossible */
export function makeMembershipPlan({ membership, nodes, seed }: LiveSettings): MembershipPlan {
  const planned = plannedChanges(membership, nodes);
  const { churnEvery } = membership;
  if (churnEvery === undefined) return { changesAt: (at) => planned.filter(({ cycle }) => cycle === at) };
  if (planned.length === 0) return new ChurnPlan({ seed, nodes, every: churnEvery });
  throw usage("--churn is given with --join, --leave or --kill", "Give either a plan or --churn.");
}

/** The numbers of the validators that a user's plan adds. */
export function joiningValidators({ membership, nodes }: LiveSettings): number[] {
  return plannedChanges(membership, nodes).flatMap(({ kind, validator }) =>
    kind === "join" ? [validator] : [],
  );
}

function plannedChanges({ join, leave, kill }: MembershipSettings, nodes: number): PlannedChange[] {
  const joins = join.map((text) => parseChange("join", text));
  const joinedIn = new Map<number, number>();
  for (const { validator, cycle } of joins) {
    if (validator < nodes) {
      throw usage(
        `--join ${validator}@${cycle}: validator ${validator} takes part from the beginning`,
        `Give a new validator a number from ${nodes} on.`,
      );
    }
    if (joinedIn.has(validator)) {
      throw usage(`validator ${validator} joins twice`, "A validator that has left does not come back.");
    }
    joinedIn.set(validator, cycle);
  }
  const gone = new Set<number>();
  const ends = [
    ...leave.map((text) => parseChange("leave", text)),
    ...kill.map((text) => parseChange("kill", text)),
  ];
  for (const { kind, validator, cycle } of ends) {
    const change = `--${kind} ${validator}@${cycle}`;
    const joined = validator < nodes ? 0 : joinedIn.get(validator);
    if (joined === undefined) {
      throw usage(`${change}: unknown validator ${validator}`, `Add --join ${validator}@<cycle>.`);
    }
    if (cycle <= joined) {
      throw usage(`${change}: validator ${validator} joins in cycle ${joined}`, "Give a later cycle.");
    }
    if (gone.has(validator)) throw usage(`validator ${validator} leaves twice`, "Give one end of it.");
    gone.add(validator);
  }
  if (gone.size >= nodes + joins.length) throw usage("every validator leaves", "Let one of them stay.");
  return [...joins, ...ends];
}

function parseChange(kind: ChangeKind, text: string): PlannedChange {
  const [, validator, cycle] = /^(\d{1,5})@(\d{1,9})$/.exec(text) ?? [];
  if (validator === undefined || Number(cycle) === 0) {
    throw usage(
      `--${kind} "${text}" is not <validator>@<cycle>`,
      `An example is --${kind} ${kind === "join" ? "9@3" : "2@4"}; the first cycle is 1.`,
    );
  }
  return { kind, validator: Number(validator), cycle: asCycle(Number(cycle)) };
}

function usage(problem: string, hint: string): SnapshotError {
  return new SnapshotError("usage", problem, { hint });
}
