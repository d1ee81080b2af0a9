/** `snapshot-assemble plan`: prints the order of queries, and the partitions expected of each node. */

import type { AssemblyPlan, PlanOptions } from "../../app/plan.ts";
import { shortId } from "../../protocol/node.ts";
import { storedCount } from "../../protocol/shard.ts";
import type { OrderCost, ReceivedCost } from "../../sync/strategy/order-cost.ts";
import { type OrderRule, orderRules } from "../../sync/strategy/order-rule.ts";
import { messageLine } from "../../text/printable.ts";
import { parseSnapshotTime } from "../../trust/chain/timestamp.ts";
import { formatCounted } from "../../ui/format.ts";
import type { Io } from "../io.ts";
import { type CommandLineFlags, libraryOptionsOf } from "../library-options.ts";
import { requireNetwork, withCluster } from "../network.ts";
import type { Outcome } from "../outcome.ts";

/** The options of the library, and those of the command line. */
export type PlanFlags = Omit<PlanOptions, "timestamp" | "signal"> &
  CommandLineFlags & { readonly timestamp?: string; readonly order: OrderRule };

export const planExamples = `Examples:
  $ snapshot-assemble plan --archiver http://127.0.0.1:4000
      plans for the archiver's node list
  $ snapshot-assemble plan --archiver http://127.0.0.1:4000 --timestamp latest
      plans for the nodes of the newest snapshot's cycle
  $ snapshot-assemble plan --archiver http://127.0.0.1:4000 --order cover
      queries the fewest nodes
  $ snapshot-assemble plan --nodes nodes.json --nodes-per-consensus-group 5 --nodes-per-edge 2 --json
      needs no network, and prints JSON
`;

export async function runPlan(flags: PlanFlags, io: Io): Promise<Outcome> {
  const timestamp = flags.timestamp === undefined ? undefined : parseSnapshotTime(flags.timestamp);
  return await withCluster(flags, io, async (withNetwork) => {
    const options = libraryOptionsOf("plan", withNetwork, io.env);
    requireNetwork(options, timestamp !== undefined);
    const { planAssembly } = await import("../../app/plan.ts");
    const plan = await planAssembly({ ...options, timestamp, signal: io.signal });
    for (const warning of plan.warnings) io.stderr.write(`warning: ${messageLine(warning)}\n`);
    return { summary: { ...plan }, lines: () => describePlan(plan, flags.order) };
  });
}

function describePlan(plan: AssemblyPlan, rule: OrderRule): string[] {
  const { nodes, order, orders, queries, requests, shard } = plan;
  const shown = 20;
  const lines = queries.map(({ node, url, index, partitions }, position) => {
    const list = runsText(partitions);
    return `${String(position + 1).padStart(5)}  ${shortId(node)}  index ${index}  ${url ?? "no address"}  partitions ${list}`;
  });
  const more = order.length > shown ? ` … (${formatCounted(order.length, "node")})` : "";
  return [
    `${formatCounted(nodes, "node")}; each stores ${formatCounted(storedCount(shard), "partition")} and the global one`,
    `order: ${order.slice(0, shown).map(shortId).join(" ")}${more}`,
    ...orderRules.map((each) => describeCost(each, orders[each])),
    `${formatCounted(queries.length, "node")} ${queries.length === 1 ? "gives" : "give"} everything, in ${formatCounted(requests, "request")}, by --order ${rule}:`,
    ...lines,
  ];
}

function describeCost(rule: OrderRule, { nodes, withRanges, withoutRanges }: OrderCost): string {
  const part = (cost: ReceivedCost) =>
    `${formatCounted(cost.requests, "request")} for ${formatCounted(cost.partitionsReceived, "partition")}`;
  return `--order ${rule.padEnd(6)}  ${formatCounted(nodes, "node")}: ${part(withRanges)}; from nodes that ignore ranges ${part(withoutRanges)}`;
}

/** Returns ranges such as `-1 0-4 7`. */
function runsText(partitions: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const partition of partitions) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === partition - 1 && run.first >= 0) run.last = partition;
    else runs.push({ first: partition, last: partition });
  }
  return runs.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(" ");
}
