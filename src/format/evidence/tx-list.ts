/**
 * `evidence/network-txs-list.json`: the list of transactions that nodes of a restarted network compare with its hash in
 * the cycle records, as received.
 */

import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export const TX_LIST_FILE = `${EVIDENCE_DIRECTORY}/network-txs-list.json`;
