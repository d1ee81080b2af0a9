/** The node list (PROTOCOL.md, Node list), from an archiver or from a file. */

import { z } from "zod";
import { nodesMax } from "../model/limits.ts";
import type { ActiveNode } from "../model/node.ts";
import { hex64 } from "./hex.ts";
import { parseAs, WireError } from "./parse.ts";

const host = z.string().regex(/^[0-9A-Za-z.:_-]{1,255}$/, "expected an IP address or a host name");
const port = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^\d{1,5}$/)
        .transform(Number),
    ],
    "expected a port from 1 to 65535",
  )
  .pipe(
    z
      .int("expected a port from 1 to 65535")
      .min(1, "expected a port from 1 to 65535")
      .max(65_535, "expected a port from 1 to 65535"),
  );

/** Fields that some archivers send empty rather than not at all. */
const absent = z.union([z.null(), z.literal("")]).transform(() => undefined);

const row = z.looseObject({
  id: z.union([absent, hex64], "expected 64 lower-case hex digits").optional(),
  ip: host,
  port,
  publicKey: hex64,
  externalIp: z.union([absent, host], "expected an IP address or a host name").optional(),
  externalPort: z.union([absent, port], "expected a port from 1 to 65535").optional(),
});

const rows = z.array(row, "expected a list of nodes").max(nodesMax, `expected at most ${nodesMax} nodes`);

const envelope = z.looseObject({ nodeList: rows }, "expected a node list");

export interface NodeList {
  /** In ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  /** Rows without an ID, which have no place in the order. */
  readonly withoutId: number;
  /** What a signature, where there is one, is over. */
  readonly received: unknown;
}

/**
 * @param received `{nodeList: […], sign}` or the bare list, as `JSON.parse` returned it
 * @throws WireError where it is of another shape, or two nodes have the same ID
 */
export function parseNodeList(received: unknown, source: string): NodeList {
  const list = Array.isArray(received)
    ? parseAs(rows, received, source)
    : parseAs(envelope, received, source).nodeList;
  const nodes: ActiveNode[] = [];
  let withoutId = 0;
  for (const { id, ip, port, publicKey, externalIp, externalPort } of list) {
    if (id === undefined) {
      withoutId++;
      continue;
    }
    nodes.push({ id, publicKey, url: nodeUrl(externalIp ?? ip, externalPort ?? port) });
  }
  nodes.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const twin = nodes.find((node, index) => node.id === nodes[index + 1]?.id);
  if (twin !== undefined) throw new WireError(source, `two nodes have the ID ${twin.id}`);
  return { nodes, withoutId, received };
}

function nodeUrl(hostName: string, portNumber: number): string {
  return `http://${hostName.includes(":") ? `[${hostName}]` : hostName}:${portNumber}`;
}
