/** There is nobody left to ask: why, for each partition and for each node that was tried. */

import { Failure, type FailureCode } from "../model/failure.ts";
import { shortId } from "../model/node.ts";
import type { NodeBook, SourceOutcome } from "./node-book.ts";

const PARTITIONS_SHOWN = 3;

export function exhaustedFailure(missing: ReadonlySet<number>, book: NodeBook): Failure {
  const partitions = [...missing].sort((a, b) => a - b);
  const outcomes = partitions.map((partition) => book.outcomes(partition));
  const isFull = partitions.some((partition) => book.isRefused(partition, "no-space"));
  const code = isFull ? "disk" : codeOf(outcomes);
  const details = partitions.slice(0, PARTITIONS_SHOWN).flatMap((partition, index) => {
    const reasons = (outcomes[index] ?? []).map(
      ({ node, reason }) => `  ${shortId(node.id)} (${node.url ?? "no address"}): ${reason}`,
    );
    return [`partition ${partition}:`, ...reasons];
  });
  if (partitions.length > PARTITIONS_SHOWN)
    details.push(`and ${partitions.length - PARTITIONS_SHOWN} more partitions`);
  return new Failure(code, `${titles[code]} (${partitions.length} missing)`, { details, hint: hints[code] });
}

type ExhaustedCode = Extract<FailureCode, "incomplete" | "verification" | "temporary" | "disk">;

const titles: Readonly<Record<ExhaustedCode, string>> = {
  incomplete: "not every partition could be had",
  verification: "no node's data has the agreed hash",
  temporary: "the cycle is not finalized yet",
  disk: "no space is left on the disk",
};

const hints: Readonly<Record<ExhaustedCode, string>> = {
  incomplete:
    "Run again when these nodes answer, and rightly: what is verified is kept and not fetched again.",
  verification:
    "All nodes that store these partitions gave other data than they agreed on: tell their operators.",
  disk: "Free some space and run again: what is verified already is kept and not fetched again.",
  temporary: "Try again in a minute: the nodes still finish this cycle.",
};

/** One partition that all its nodes gave wrongly cannot be had by waiting. */
function codeOf(outcomes: readonly (readonly SourceOutcome[])[]): ExhaustedCode {
  const isAll = (nodes: readonly SourceOutcome[], outcome: SourceOutcome["outcome"]) =>
    nodes.every((node) => node.outcome === outcome);
  if (outcomes.some((nodes) => isAll(nodes, "wrong"))) return "verification";
  return outcomes.every((nodes) => isAll(nodes, "too-early")) ? "temporary" : "incomplete";
}
