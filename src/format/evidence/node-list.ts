/** `evidence/node-list.json`: who may vote, as received. Its schema is that of the node list of an archiver. */

import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export { parseNodeList } from "../../wire/node-list.ts";

export const NODE_LIST_FILE = `${EVIDENCE_DIRECTORY}/node-list.json`;
