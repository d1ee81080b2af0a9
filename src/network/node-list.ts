/** Reads the node list. */

import { Failure } from "../model/failure.ts";
import { type NodeList, nodeListOf, plainRows } from "../wire/node-rows.ts";
import { type ListContext, type Received, readList } from "./list-source.ts";
import type { ListSources } from "./options.ts";

/** @throws Failure */
export async function readNodeList(sources: ListSources, context: ListContext): Promise<Received<NodeList>> {
  const list = await readList(sources.nodes, "full-nodelist?activeOnly=true", sources, context, parse);
  if (list.withoutId > 0) {
    context.warn(
      `${list.withoutId} nodes of the list have no ID and are left out: they have no place in the order`,
    );
  }
  if (list.nodes.length === 0) {
    throw new Failure("configuration", "the node list has no active node", {
      hint: "Check the archiver's address, or the file given with --nodes.",
    });
  }
  return list;
}

async function parse(received: unknown, source: string): Promise<NodeList> {
  const rows = plainRows(received);
  if (rows !== undefined) return nodeListOf(rows, received, source);
  const { parseNodeList } = await import("../wire/node-list.ts");
  return parseNodeList(received, source);
}
