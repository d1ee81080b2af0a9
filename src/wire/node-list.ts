/** The node list (PROTOCOL.md, Node list), from an archiver or from a file. */

import { z } from "zod";
import { nodesMax } from "../model/limits.ts";
import { hex64 } from "./hex.ts";
import { hostPattern, type NodeList, nodeListOf, portMax, portMin } from "./node-rows.ts";
import { parseAs } from "./parse.ts";

const host = z.string().regex(hostPattern, "expected an IP address or a host name");
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
      .min(portMin, "expected a port from 1 to 65535")
      .max(portMax, "expected a port from 1 to 65535"),
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

/**
 * @param received `{nodeList: […], sign}` or the bare list, as `JSON.parse` returned it
 * @throws WireError where it is of another shape, or two nodes have the same ID
 */
export function parseNodeList(received: unknown, source: string): NodeList {
  const list = Array.isArray(received)
    ? parseAs(rows, received, source)
    : parseAs(envelope, received, source).nodeList;
  return nodeListOf(list, received, source);
}
