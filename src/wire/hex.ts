/** The schemas of hashes and IDs. */

import { type HashHex, isHashHex, isNodeId, type NodeId } from "../protocol/brands.ts";
import * as z from "./schema.ts";

const problem = "expected 64 lower-case hex digits";

/** A hash: 64 lower-case hex digits. */
export const hex64 = z.custom<HashHex>(isHashHex, problem);

/** The ID of a node: 64 lower-case hex digits. */
export const nodeId = z.custom<NodeId>(isNodeId, problem);
