/** The schemas of hashes, IDs and keys. */

import {
  type HashHex,
  isHashHex,
  isNodeId,
  isPublicKey,
  type NodeId,
  type PublicKey,
} from "../protocol/brands.ts";
import * as z from "./schema.ts";

const problem = "expected 64 lower-case hex digits";

/** A hash: 64 lower-case hex digits. */
export const hex64 = z.custom<HashHex>(isHashHex, problem);

/** The ID of a node: 64 lower-case hex digits. */
export const nodeId = z.custom<NodeId>(isNodeId, problem);

/** An Ed25519 public key: 64 lower-case hex digits. */
export const publicKey = z.custom<PublicKey>(isPublicKey, problem);
