/** Describes events of a run for people. */

import type { MovedBytes, Offence, QueryRecord, RunBytes } from "../events/assemble-events.ts";
import { peerName } from "../protocol/node.ts";
import { messageLine } from "../text/printable.ts";
import { formatBytes, formatCount, formatCounted } from "./format.ts";

/** Returns how much a run has received, and how much of seeds it has used. */
export function describeBytes({ received, seeded }: MovedBytes): string {
  const text = `${formatBytes(received)} received`;
  return seeded === 0 ? text : `${text}, ${formatBytes(seeded)} from seeds`;
}

/** Returns what a run that has ended received, and how much of it from mirrors. */
export function describeRunBytes(bytes: RunBytes): string {
  const ofMirrors = bytes.sources.filter(({ source }) => source.kind === "mirror");
  const mirrored = ofMirrors.reduce((sum, source) => sum + source.bytes, 0);
  return `${describeBytes(bytes)}${mirrored === 0 ? "" : `, ${formatBytes(mirrored)} of it from mirrors`}`;
}

export function describeOffence({ node, kind, partition, detail }: Offence): string {
  const where = partition === undefined ? "" : ` of partition ${partition}`;
  return messageLine(`${peerName(node)}: ${kind}${where}: ${detail}`);
}

export function describeQuery({ node, partitions, verified, bytes, outcome, status }: QueryRecord): string {
  const gave = `gave ${formatCount(verified.length)} of ${formatCounted(partitions.length, "partition")} in ${formatBytes(bytes)}`;
  return messageLine(
    `${peerName(node)} ${gave}${outcome === "complete" ? "" : ` (${[outcome, status].filter((word) => word !== undefined).join(" ")})`}`,
  );
}
