/** The table of all faults, and their syntax: `3:corrupt-data`, `5:slow=500ms`, `*:no-range`. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { asPartition, type Partition } from "../../protocol/brands.ts";
import { GLOBAL_PARTITION } from "../../protocol/shard.ts";
import type { ValidatorSetup } from "../cluster/validator-setup.ts";
import { validatorSteps } from "../validator/fault-hooks.ts";
import { accountFaults } from "./account-faults.ts";
import { bodyFaults } from "./body-faults.ts";
import { connectionFaults } from "./connection-faults.ts";
import { deltaFaults } from "./delta-faults.ts";
import type { FaultKind, FaultParameter } from "./fault-kind.ts";
import { gossipFaults } from "./gossip-faults.ts";
import { liveFaults } from "./live-faults.ts";

export const faultKinds: readonly FaultKind[] = [
  ...connectionFaults,
  ...bodyFaults,
  ...accountFaults,
  ...deltaFaults,
  ...gossipFaults,
  ...liveFaults,
];

/** A fault of one node or of all nodes. */
export interface Fault {
  /** The index in ascending order of node IDs. */
  readonly node: number | "*";
  readonly name: string;
  readonly value: number | undefined;
  readonly kind: FaultKind;
}

/**
 * Parses `<node>:<fault>` or `<node>:<fault>=<value>`.
 *
 * @throws SnapshotError `usage`
 */
export function parseFault(text: string): Fault {
  const match = /^(\*|\d+):([a-z0-9-]+)(?:=(.*))?$/.exec(text);
  if (match === null) {
    throw new SnapshotError("usage", `invalid fault "${text}"`, {
      hint: "A fault is <node>:<fault> or <node>:<fault>=<value>, such as 3:corrupt-data or 5:slow=500ms.",
    });
  }
  const [, node = "", name = "", valueText] = match;
  const kind = faultKinds.find((candidate) => candidate.name === name);
  if (kind === undefined) {
    const names = faultKinds.map((known) => known.name).join(", ");
    throw new SnapshotError("usage", `unknown fault "${name}" in "${text}"`, {
      hint: `The faults are ${names}.`,
    });
  }
  const value = parseValue(text, kind, valueText);
  return { node: node === "*" ? "*" : Number(node), name, value, kind };
}

function parseValue(text: string, { name, parameter }: FaultKind, valueText: string | undefined) {
  if (parameter === undefined) {
    if (valueText === undefined) return undefined;
    throw new SnapshotError("usage", `"${text}": ${name} takes no value`);
  }
  if (valueText === undefined) {
    if ("default" in parameter) return parameter.default;
    throw new SnapshotError(
      "usage",
      `"${text}": missing ${parameter.kind}; an example is ${exampleOf(name, parameter)}`,
    );
  }
  const value = valueReaders[parameter.kind](valueText);
  if (value !== undefined) return value;
  throw new SnapshotError(
    "usage",
    `"${text}": invalid ${parameter.kind} "${valueText}"; an example is ${exampleOf(name, parameter)}`,
  );
}

const valueReaders: Record<FaultParameter["kind"], (text: string) => number | undefined> = {
  count: (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined),
  partition: (text) => (/^(-1|\d{1,5})$/.test(text) ? Number(text) : undefined),
  duration: (text) => {
    const [, number, unit] = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s)$/.exec(text) ?? [];
    return number === undefined ? undefined : Number(number) * (unit === "s" ? 1000 : 1);
  },
  step: (text) => {
    const place = (validatorSteps as readonly string[]).indexOf(text);
    return place < 0 ? undefined : place;
  },
};

function exampleOf(name: string, { kind }: FaultParameter): string {
  const examples = { count: "3", partition: "4", duration: "500ms", step: "export" };
  return `${name}=${examples[kind]}`;
}

/**
 * Applies a fault to a node if it names the node. `*` names every node; for a fault of a partition, every node that
 * stores the partition.
 *
 * @throws SnapshotError `configuration` where the named node does not store the partition
 */
export function applyFault({ node, name, value, kind }: Fault, setup: ValidatorSetup): void {
  if (node !== "*" && node !== setup.number) return;
  if (
    kind.parameter?.kind === "partition" &&
    value !== undefined &&
    !storesPartition(setup, asPartition(value))
  ) {
    if (node === "*") return;
    throw new SnapshotError(
      "configuration",
      `fault ${node}:${name}=${value}: the node does not store the partition`,
    );
  }
  kind.apply(setup, value);
}

function storesPartition({ stored }: ValidatorSetup, partition: Partition): boolean {
  return partition === GLOBAL_PARTITION || stored.includes(partition);
}

/** Returns the table for `--help`: one line for each fault. */
export function faultHelp(): string {
  const rows = faultKinds.map((kind) => [usageOf(kind), describe(kind)] as const);
  const width = Math.max(...rows.map(([usage]) => usage.length));
  return rows.map(([usage, description]) => `  ${usage.padEnd(width)}  ${description}`).join("\n");
}

function describe(kind: FaultKind): string {
  return `${kind.description}${defaultOf(kind)}${kind.isLiveOnly === true ? " (live only)" : ""}`;
}

function usageOf({ name, parameter }: FaultKind): string {
  if (parameter === undefined) return name;
  return "default" in parameter ? `${name}[=<${parameter.kind}>]` : `${name}=<${parameter.kind}>`;
}

function defaultOf({ parameter }: FaultKind): string {
  if (parameter?.default === undefined) return "";
  return ` (default ${parameter.default}${parameter.kind === "duration" ? "ms" : ""})`;
}
