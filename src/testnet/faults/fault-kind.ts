/** A kind of fault: how a validator can be told to behave, other than as the protocol says. */

import type { NodeSetup } from "../cluster/node-setup.ts";

/** What stands behind the `=` of `slow=500ms`. */
export interface FaultParameter {
  /** A duration is read with its unit, and given in milliseconds; a step by its place among the steps. */
  readonly kind: "count" | "duration" | "partition" | "step";
  /** Where it is left out; without a default, it may not be. `undefined` has a meaning of its own. */
  readonly default?: number | undefined;
}

export interface FaultKind {
  readonly name: string;
  /** One line, of what the validator does. */
  readonly description: string;
  readonly parameter?: FaultParameter;
  /** Whether it takes a validator that goes on from cycle to cycle, as those of fixtures do not. */
  readonly isLiveOnly?: boolean;
  readonly apply: (node: NodeSetup, value: number | undefined) => void;
}

/** For kinds whose parameter has a default or is required. */
export function given(value: number | undefined): number {
  if (value === undefined) throw new TypeError("a fault was applied without its parameter");
  return value;
}
