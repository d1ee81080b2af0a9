/** Reads the node list, and explains an empty one. */

import { errorOf, type Problem } from "../errors/problem.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { nodeListBytesBase, nodeListBytesPerNode } from "../limits/snapshot.ts";
import type { CycleRecord } from "../protocol/cycle-record.ts";
import { counted, isOrAre } from "../text/counted.ts";
import { type NodeList, parseNodeList } from "../wire/node-list.ts";
import { describeRowProblems } from "../wire/row-problems.ts";
import { type ListContext, type Received, readList } from "./list-source.ts";
import type { ListSources } from "./network-options.ts";

/**
 * Reads the list of active nodes.
 *
 * @throws SnapshotError
 */
export async function readNodeList(sources: ListSources, context: ListContext): Promise<Received<NodeList>> {
  const path = "full-nodelist?activeOnly=true";
  const request = { file: sources.nodes, path, ifUnsigned: "node-list" } as const;
  const list = await readList(request, sources, context, parseNodeList);
  const { withoutId, skipped, withoutAddress } = list;
  if (withoutId > 0) {
    context.warn(
      `${counted(withoutId, "node")} of the list without an ID ${isOrAre(withoutId)} left out: without an ID, a node has no position in the order`,
    );
  }
  if (skipped.count > 0) {
    context.warn(
      `${counted(skipped.count, "row")} of the node list ${isOrAre(skipped.count)} left out: ${describeRowProblems(skipped)}`,
    );
  }
  if (withoutAddress.count > 0) {
    const which = describeRowProblems(withoutAddress);
    context.warn(
      `${counted(withoutAddress.count, "node")} without a usable address ${isOrAre(withoutAddress.count)} sent no requests: ${which}`,
    );
  }
  requireProportionate(list);
  return list;
}

/** The state of a network in each mode without active nodes. */
const stateInMode: ReadonlyMap<unknown, string> = new Map([
  ["forming", "it is being formed"],
  ["shutdown", "it is shut down: nodes become active once it is restarted"],
  ["restart", "it is being restarted: nodes become active once enough of them have joined"],
  [
    "restore",
    "it is being restored: nodes become active once they have read the accounts from the archivers",
  ],
  ["recovery", "it recovers from the loss of too many nodes"],
]);

/**
 * @param newest the newest cycle record, whose mode explains an empty list
 * @throws SnapshotError if the list is empty
 */
export function requireActiveNodes(list: NodeList, newest: CycleRecord | undefined): void {
  const inactive = whyInactive(list, newest);
  if (inactive !== undefined) throw errorOf(inactive);
}

/** Returns the problem of an empty list: `temporary` in a mode without active nodes, else `configuration`. */
export function whyInactive({ nodes }: NodeList, newest: CycleRecord | undefined): Problem | undefined {
  if (nodes.length > 0) return undefined;
  const mode = newest?.received["mode"];
  const state = stateInMode.get(mode);
  if (state === undefined) {
    return {
      code: "configuration",
      message: "the node list has no active node",
      hint: "Check the archiver's address, or the file given with --nodes.",
    };
  }
  return {
    code: "temporary",
    message: `the network is in mode ${mode} and has no active node: ${state}`,
    hint: "Try again when it processes transactions. For an earlier snapshot, give its timestamp, the nodes of its cycle with --nodes, and its gossip with --gossip.",
  };
}

/** Checks the size of a list by the number of its nodes: it becomes evidence, for which `verify` has the same bound. */
function requireProportionate({ nodes, bytes }: Received<NodeList>): void {
  const bytesMax = nodeListBytesBase + nodeListBytesPerNode * nodes.length;
  if (bytes.length <= bytesMax) return;
  const problem = `the node list has ${bytes.length} bytes for ${counted(nodes.length, "node")}, more than ${bytesMax}`;
  throw new SnapshotError("configuration", problem, {
    hint: "Use another archiver with --archiver, or give a list without unnecessary fields with --nodes.",
  });
}
