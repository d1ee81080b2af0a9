/** `snapshot-assemble plan`: the order of queries, and who is expected to give what. */

import { type AssemblyPlan, planAssembly } from "../assemble/plan.ts";
import { Failure } from "../model/failure.ts";
import { shortId } from "../model/node.ts";
import { formatCount } from "../ui/format.ts";
import type { Io } from "./io.ts";
import { type NetworkFlags, networkOptionsOf } from "./network-options.ts";
import type { Outcome } from "./outcome.ts";

export const planExamples = `Examples:
  $ snapshot-assemble plan --archiver http://127.0.0.1:4000
  $ snapshot-assemble plan --nodes nodes.json --nodes-per-consensus-group 5 --nodes-per-edge 2 --json
`;

export async function runPlan(flags: NetworkFlags, io: Io): Promise<Outcome> {
  if (flags.archiver === undefined && flags.nodes === undefined) {
    throw new Failure("usage", "it is not said which network is meant", {
      hint: "Give --archiver <url> or --nodes <file>.",
    });
  }
  // The cycle records are not needed: any file will do for the check that a network is named.
  const plan = await planAssembly(networkOptionsOf({ ...flags, cycles: flags.cycles ?? "" }), io.signal);
  for (const warning of plan.warnings) io.stderr.write(`warning: ${warning}\n`);
  return { summary: { ...plan }, text: describePlan(plan) };
}

function describePlan({ nodes, order, queries, requests, shard }: AssemblyPlan): string {
  const shown = 20;
  const lines = queries.map(({ node, url, index, partitions }, position) => {
    const list = runsText(partitions);
    return `${String(position + 1).padStart(5)}  ${shortId(node)}  index ${index}  ${url}  partitions ${list}`;
  });
  const more = order.length > shown ? ` … (${formatCount(order.length)} nodes)` : "";
  return [
    `${formatCount(nodes)} nodes; each stores ${formatCount(Math.min(nodes, 2 * shard.storeRadius + 1))} partitions and the global one`,
    `order: ${order.slice(0, shown).map(shortId).join(" ")}${more}`,
    `${formatCount(queries.length)} nodes give everything, in ${formatCount(requests)} requests:`,
    ...lines,
  ].join("\n");
}

/** `-1 0-4 7` rather than each number. */
function runsText(partitions: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const partition of partitions) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === partition - 1 && run.first >= 0) run.last = partition;
    else runs.push({ first: partition, last: partition });
  }
  return runs.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(" ");
}
