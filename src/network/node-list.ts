/** Reads the node list. */

import { Failure } from "../model/failure.ts";
import { nodeListBytesBase, nodeListBytesPerNode } from "../model/limits.ts";
import { type NodeList, parseNodeList } from "../wire/node-list.ts";
import { describeRowProblems } from "../wire/row-problems.ts";
import { type ListContext, type Received, readList } from "./list-source.ts";
import type { ListSources } from "./options.ts";

/** @throws Failure */
export async function readNodeList(sources: ListSources, context: ListContext): Promise<Received<NodeList>> {
  const path = "full-nodelist?activeOnly=true";
  const list = await readList(sources.nodes, path, sources, context, parseNodeList);
  const { nodes, withoutId, skipped, notAsked } = list;
  if (withoutId > 0) {
    context.warn(
      `${withoutId} nodes of the list have no ID and are left out: they have no place in the order`,
    );
  }
  if (skipped.count > 0) {
    context.warn(`${skipped.count} rows of the node list are left out: ${describeRowProblems(skipped)}`);
  }
  if (notAsked.count > 0) {
    const which = describeRowProblems(notAsked);
    context.warn(`${notAsked.count} nodes have no usable address and are not asked: ${which}`);
  }
  if (nodes.length === 0) {
    throw new Failure("configuration", "the node list has no active node", {
      hint: "Check the archiver's address, or the file given with --nodes.",
    });
  }
  requireProportionate(list);
  return list;
}

/** It becomes evidence, of which `verify` reads no more than a network of so many nodes can have. */
function requireProportionate({ nodes, bytes }: Received<NodeList>): void {
  const bytesMax = nodeListBytesBase + nodeListBytesPerNode * nodes.length;
  if (bytes.length <= bytesMax) return;
  const problem = `the node list has ${bytes.length} bytes for ${nodes.length} nodes, more than ${bytesMax}`;
  throw new Failure("configuration", problem, {
    hint: "Ask another archiver with --archiver, or give a list without what it does not need with --nodes.",
  });
}
