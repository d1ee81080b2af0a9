/**
 * The entry of the export process of a validator in a live cluster, which may have been told to lie:
 * `node live-export-process.js <settings>`.
 */

import { argv } from "node:process";
import { runExportProcess } from "../validator/snapshot/run-export-process.ts";
import { lyingAbout } from "./state-transforms.ts";

/** As JSON. */
export interface LiveExportSettings {
  readonly lies: readonly number[];
  readonly pauseMs: number;
}

const { lies, pauseMs } = JSON.parse(argv[2] ?? "") as LiveExportSettings;

runExportProcess({ beliefs: lyingAbout(lies), pauseMs });
