/** `evidence/node-list.json`: the node list as received, in the schema of an archiver's response. */

import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export { parseNodeList } from "../../wire/node-list.ts";

export const NODE_LIST_FILE = `${EVIDENCE_DIRECTORY}/node-list.json`;
