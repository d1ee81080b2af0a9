import { isMirrorUrl, type NodeId, type NodeIndex, type PublicKey } from "./brands.ts";

/** An active node of the network (PROTOCOL.md, Node list). */
export interface ActiveNode {
  /** 64 lower-case hex digits, which order the nodes. */
  readonly id: NodeId;
  /** `http://host:port`; `undefined` without a usable address. The node then counts as any other, but receives no
   *  requests. */
  readonly url: string | undefined;
  /** Ed25519, 64 hex digits; `undefined` for a node that has left and whose key no record states. Its votes cannot be
   *  counted. */
  readonly publicKey: PublicKey | undefined;
}

/** Returns the beginning of a node's ID, for messages. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** Returns what a peer is called in messages, by what events call it: the beginning of a node's ID, or a mirror's URL. */
export function shortPeer(id: string): string {
  return isMirrorUrl(id) ? id : shortId(id);
}

/** Returns what a peer is called in messages, and what it is. */
export function peerName(id: string): string {
  return `${isMirrorUrl(id) ? "mirror" : "node"} ${shortPeer(id)}`;
}

/** Returns the index of each node. */
export function indexesOf(nodes: Iterable<NodeId>): Map<NodeId, NodeIndex> {
  const indexes = new Map<NodeId, NodeIndex>();
  for (const id of nodes) indexes.set(id, indexes.size as NodeIndex);
  return indexes;
}

/** Returns the URL of a path at a node; `undefined` if the node has no usable address. */
export function nodeUrl({ url }: ActiveNode, path: string): string | undefined {
  return url === undefined ? undefined : `${url}${path}`;
}
