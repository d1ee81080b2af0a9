/**
 * The rows of a node list: from rows to nodes, and the quick way to rows that are as nearly all of them are.
 *
 * A list of 10,000 nodes takes the schema longer than all that a plan makes of it. A row of which each field
 * is plainly what it must be needs no schema; the first one that is not sends the whole list there, which
 * knows the rarer forms and says what is wrong (`node-list.ts`). A property test shows that the two agree.
 */

import { isHex64 } from "../model/address.ts";
import { nodesMax } from "../model/limits.ts";
import type { ActiveNode } from "../model/node.ts";
import { WireError } from "./parse.ts";

export interface NodeRow {
  readonly id?: string | undefined;
  readonly ip: string;
  readonly port: number;
  readonly publicKey: string;
  readonly externalIp?: string | undefined;
  readonly externalPort?: number | undefined;
}

export interface NodeList {
  /** In ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  /** Rows without an ID, which have no place in the order. */
  readonly withoutId: number;
  /** What a signature, where there is one, is over. */
  readonly received: unknown;
}

export const hostPattern = /^[0-9A-Za-z.:_-]{1,255}$/;
export const portMin = 1;
export const portMax = 65_535;

/** The rows of a received list; `undefined` where one of them needs a closer look. */
export function plainRows(received: unknown): NodeRow[] | undefined {
  const list = Array.isArray(received) ? received : (received as { nodeList?: unknown } | null)?.nodeList;
  if (!Array.isArray(list) || list.length > nodesMax) return undefined;
  return list.every(isPlainRow) ? list : undefined;
}

function isPlainRow(row: unknown): row is NodeRow {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return false;
  const { id, ip, port, publicKey, externalIp, externalPort } = row as Record<keyof NodeRow, unknown>;
  return (
    isHex64(id) &&
    isHost(ip) &&
    isPort(port) &&
    isHex64(publicKey) &&
    (externalIp === undefined || isHost(externalIp)) &&
    (externalPort === undefined || isPort(externalPort))
  );
}

function isHost(value: unknown): boolean {
  return typeof value === "string" && hostPattern.test(value);
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= portMin && (value as number) <= portMax;
}

/** @throws WireError where two nodes have the same ID */
export function nodeListOf(rows: readonly NodeRow[], received: unknown, source: string): NodeList {
  const nodes: ActiveNode[] = [];
  let withoutId = 0;
  for (const { id, ip, port, publicKey, externalIp, externalPort } of rows) {
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
