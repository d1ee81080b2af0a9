/** A kind of fault: a deviation from the protocol that a validator of a cluster can have. */

import { asPartition, type Partition } from "../../protocol/brands.ts";
import type { ValidatorSetup } from "../cluster/validator-setup.ts";

/** The value of a fault: `500ms` of `slow=500ms`. */
export interface FaultParameter {
  /** A duration has a unit, and is passed in milliseconds. A step is passed as its index. */
  readonly kind: "count" | "duration" | "partition" | "step";
  /** The value where it is omitted. Without the field, a value is required; `undefined` is a possible default. */
  readonly default?: number | undefined;
}

export interface FaultKind {
  readonly name: string;
  /** One line that continues "the validator". */
  readonly description: string;
  readonly parameter?: FaultParameter;
  /** Whether only a validator of a live cluster can have it. */
  readonly isLiveOnly?: boolean;
  readonly apply: (node: ValidatorSetup, value: number | undefined) => void;
}

/** The value of a parameter that is required or has a default. */
export function requiredValue(value: number | undefined): number {
  if (value === undefined) throw new TypeError("a fault was applied without its parameter");
  return value;
}

/** The value of a parameter that is a partition; `undefined` where it was omitted. */
export function optionalPartition(value: number | undefined): Partition | undefined {
  return value === undefined ? undefined : asPartition(value);
}
