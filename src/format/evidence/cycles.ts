/** `evidence/cycles.json`: the cycle records, as received. Their schema is that of the records of an archiver. */

import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export { parseCycleRecords } from "../../wire/cycle-records.ts";

export const CYCLES_FILE = `${EVIDENCE_DIRECTORY}/cycles.json`;
