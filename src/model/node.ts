/** An active node of the network (PROTOCOL.md, Node list). */
export interface ActiveNode {
  /** 64 lower-case hex digits: the node's place in the order of nodes. */
  readonly id: string;
  /** Where it is asked: `http://host:port`. */
  readonly url: string;
  /** Ed25519, 64 hex digits. */
  readonly publicKey: string;
}

/** The start of a node's ID, enough to tell it from others in a message. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
