/**
 * `evidence/archivers.json`: the archivers that were seen up, as received. A record of a shutdown names archivers, which
 * the restarted network asks for its state.
 */

import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export { parseArchiverList } from "../../wire/archiver-list.ts";

export const ARCHIVERS_FILE = `${EVIDENCE_DIRECTORY}/archivers.json`;
