/** The changes of nodes that a cycle record states (PROTOCOL.md, Cycle records). */

import { isNodeId, isPublicKey, type NodeId, type PublicKey } from "../../protocol/brands.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";

/** A node as a cycle record describes it. */
export interface RecordedNode {
  readonly id: NodeId;
  readonly publicKey: PublicKey;
  readonly ip: string;
  readonly port: number;
}

/** The fields that state nodes with their keys and addresses. */
export type StatingField = "joinedConsensors" | "refreshedConsensors";

/** The fields that remove nodes, in the order in which the network applies them. */
const removals = ["apoptosized", "removed", "appRemoved"] as const;

/** A shutdown record lists this instead of IDs, which removes every node. */
export const EVERY_NODE = "all";

/** Returns the nodes that a record removes. */
export function removedBy(record: CycleRecord): readonly NodeId[] | typeof EVERY_NODE {
  if (removals.some((field) => listIn(record, field).includes(EVERY_NODE))) return EVERY_NODE;
  return [...new Set(removals.flatMap((field) => idsIn(record, field)))];
}

export function refreshedIn({ received }: CycleRecord): NodeId[] {
  return listIn({ received }, "refreshedConsensors")
    .map((stated) => fieldsOf(stated)["id"])
    .filter(isNodeId);
}

/** Returns the IDs in a field of a record. */
export function idsIn(record: CycleRecord, field: string): NodeId[] {
  return [...new Set(listIn(record, field).filter(isNodeId))];
}

/** Returns a list in a record; empty if the record has none. */
function listIn({ received }: Pick<CycleRecord, "received">, field: string): readonly unknown[] {
  const list: unknown = received[field];
  return Array.isArray(list) ? list : [];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Returns the nodes in a field of a record; without `node` where the record does not state its key and address. */
export function statedIn(
  { received }: Pick<CycleRecord, "received">,
  field: StatingField,
): { readonly id: NodeId; readonly node: RecordedNode | undefined }[] {
  return listIn({ received }, field).flatMap((stated) => {
    const { id, publicKey, externalIp, externalPort } = fieldsOf(stated);
    if (!isNodeId(id)) return [];
    const isStated =
      isPublicKey(publicKey) && typeof externalIp === "string" && Number.isInteger(externalPort);
    const node = isStated ? { id, publicKey, ip: externalIp, port: Number(externalPort) } : undefined;
    return [{ id, node }];
  });
}
