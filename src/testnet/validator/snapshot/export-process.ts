/** The entry of an honest validator's export process. */

import { runExportProcess } from "./run-export-process.ts";

runExportProcess();
