/**
 * The entry of the export process of a validator in a live cluster, with its faults:
 * `node live-export-process.js <settings>`.
 */

import { argv } from "node:process";
import { runExportProcess } from "../validator/snapshot/run-export-process.ts";
import { falseViews } from "./false-state.ts";

/** The argument, as JSON. */
export interface LiveExportSettings {
  readonly lies: readonly number[];
  readonly pauseMs: number;
}

const { lies, pauseMs } = JSON.parse(argv[2] ?? "") as LiveExportSettings;

runExportProcess({ views: falseViews(lies), pauseMs });
