/**
 * Parses the node list (PROTOCOL.md, Node list) from an archiver or from a file.
 *
 * A row with an ID and a key is a member of the network, whatever its address: it votes, and its position in the order
 * of nodes determines which partitions all other nodes hold. A node without a usable address receives no requests. A row
 * without an ID or a key has no position; the caller compares the number of nodes with the cycle chain.
 */

import { nodesMax } from "../limits/network.ts";
import { isNodeId, isPublicKey } from "../protocol/brands.ts";
import type { ActiveNode } from "../protocol/node.ts";
import { describe, WireError } from "./parse.ts";
import { RowProblemList, type RowProblems } from "./row-problems.ts";

export interface NodeList {
  /** In ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  /** Rows without an ID, which have no position in the order. */
  readonly withoutId: number;
  /** Rows that are left out because their ID or key is malformed. */
  readonly skipped: RowProblems;
  /** Nodes without a usable address or port. */
  readonly withoutAddress: RowProblems;
  /** The list as received, which may be signed. */
  readonly received: unknown;
}

const hostPattern = /^[0-9A-Za-z.:_-]{1,255}$/;
const portPattern = /^\d{1,5}$/;

/**
 * @param received `{nodeList: […], sign}` or a list of nodes
 * @throws WireError if it has another shape, or two nodes have the same ID or key
 */
export function parseNodeList(received: unknown, source: string): NodeList {
  const rows = rowsOf(received, source);
  if (rows.length > nodesMax) throw new WireError(source, `expected at most ${nodesMax} nodes`);
  const nodes: ActiveNode[] = [];
  const skipped = new RowProblemList();
  const withoutAddress = new RowProblemList();
  let withoutId = 0;
  rows.forEach((row, index) => {
    const fields: Partial<Record<RowField, unknown>> = isObject(row) ? row : {};
    const { id, publicKey } = fields;
    if (isObject(row) && isAbsent(id)) withoutId++;
    else if (!isObject(row)) skipped.add(`[${index}]: expected a node, got ${describe(row)}`);
    else if (!isNodeId(id)) skipped.add(`[${index}].id: ${not64(id)}`);
    else if (!isPublicKey(publicKey)) skipped.add(`[${index}].publicKey: ${not64(publicKey)}`);
    else {
      const url = urlOf(fields);
      if (url === undefined) withoutAddress.add(`[${index}]: ${describeAddress(fields)}`);
      nodes.push({ id, publicKey, url });
    }
  });
  nodes.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  requireDistinct(nodes, source);
  return { nodes, withoutId, skipped, withoutAddress, received };
}

type RowField = "id" | "publicKey" | "ip" | "port" | "externalIp" | "externalPort";

function rowsOf(received: unknown, source: string): readonly unknown[] {
  if (Array.isArray(received)) return received;
  if (!isObject(received)) throw new WireError(source, `expected a node list, got ${describe(received)}`);
  const { nodeList } = received as { nodeList?: unknown };
  if (Array.isArray(nodeList)) return nodeList;
  throw new WireError(source, `nodeList: expected a list of nodes, got ${describe(nodeList)}`);
}

/**
 * Checks that no ID and no key is listed twice. A vote counts for an ID and is checked with a key: a node listed twice
 * with either would vote twice.
 */
function requireDistinct(nodes: readonly ActiveNode[], source: string): void {
  const idOfKey = new Map<string | undefined, string>();
  for (const [index, { id, publicKey }] of nodes.entries()) {
    if (id === nodes[index + 1]?.id) throw new WireError(source, `two nodes have the ID ${id}`);
    const other = idOfKey.get(publicKey);
    if (other !== undefined) {
      throw new WireError(source, `the nodes ${other} and ${id} have the same public key ${publicKey}`);
    }
    idOfKey.set(publicKey, id);
  }
}

/** Returns the URL of a node, from its external address if it has one. */
function urlOf({ ip, port, externalIp, externalPort }: Partial<Record<RowField, unknown>>) {
  const host = isAbsent(externalIp) ? ip : externalIp;
  return urlOfAddress(host, isAbsent(externalPort) ? port : externalPort);
}

/** Returns the URL of an address; `undefined` if the address is malformed. */
export function urlOfAddress(host: unknown, port: unknown): string | undefined {
  const portNumber = portOf(port);
  if (typeof host !== "string" || !hostPattern.test(host) || portNumber === undefined) return undefined;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${portNumber}`;
  return URL.canParse(url) ? url : undefined;
}

function portOf(value: unknown): number | undefined {
  const port = typeof value === "string" && portPattern.test(value) ? Number(value) : value;
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}

function describeAddress({ id, ip, port, externalIp, externalPort }: Partial<Record<RowField, unknown>>) {
  const host = isAbsent(externalIp) ? ip : externalIp;
  const portNumber = isAbsent(externalPort) ? port : externalPort;
  return `node ${String(id)} with host ${describe(host)} and port ${describe(portNumber)}`;
}

function not64(value: unknown): string {
  return `expected 64 lower-case hex digits, got ${describe(value)}`;
}

/** Returns whether a field is absent. Some archivers send empty fields instead of omitting them. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
