/** `evidence/cycles.json`: the cycle records as received, in the schema of an archiver's response. */

import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export { parseCycleRecords } from "../../wire/cycle-records.ts";

export const CYCLES_FILE = `${EVIDENCE_DIRECTORY}/cycles.json`;
