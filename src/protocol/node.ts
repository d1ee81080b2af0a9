/** An active node of the network (PROTOCOL.md, Node list). */
export interface ActiveNode {
  /** 64 lower-case hex digits: the node's place in the order of nodes. */
  readonly id: string;
  /** Where it is asked: `http://host:port`. `undefined` where nobody states a usable address of it: then it
   *  counts as any other node does, but is never asked. */
  readonly url: string | undefined;
  /** Ed25519, 64 hex digits; `undefined` of a node that has left and whose key nobody states: it has no vote. */
  readonly publicKey: string | undefined;
}

/** The start of a node's ID, enough to tell it from others in a message. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** The URL of what a node is asked for; `undefined` where it cannot be asked. */
export function nodeUrl({ url }: ActiveNode, path: string): string | undefined {
  return url === undefined ? undefined : `${url}${path}`;
}
