/**
 * The entry of the export process of a validator in a live cluster, with its faults:
 * `node live-export-process.js <settings>`.
 */

import { argv } from "node:process";
import { asPartition } from "../../protocol/brands.ts";
import { parseAs, parseJson } from "../../wire/parse.ts";
import * as z from "../../wire/schema.ts";
import { runExportProcess } from "../validator/snapshot/run-export-process.ts";
import { falseViews } from "./false-state.ts";

/** The argument, as JSON. */
export interface LiveExportSettings {
  readonly lies: readonly number[];
  readonly pauseMs: number;
}

const settings = z.object({ lies: z.array(z.int()), pauseMs: z.number() });
const argument: LiveExportSettings = parseAs(
  settings,
  parseJson(argv[2] ?? "", "the argument"),
  "the argument",
);

runExportProcess({ views: falseViews(argument.lies.map(asPartition)), pauseMs: argument.pauseMs });
