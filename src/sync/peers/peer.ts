/** A source of partitions: a validator, or the mirror of another archiver, which has all partitions of its snapshot. */

import type { MirrorUrl, PeerId } from "../../protocol/brands.ts";
import type { ActiveNode } from "../../protocol/node.ts";

export type Peer =
  | { readonly kind: "node"; readonly node: ActiveNode }
  | {
      readonly kind: "mirror";
      /** Its place among the mirrors of the run. */
      readonly place: number;
      readonly url: MirrorUrl;
    };

/** Returns what events call a peer: the ID of a node, or the URL of a mirror. */
export function peerId(peer: Peer): PeerId {
  return peer.kind === "node" ? peer.node.id : peer.url;
}
