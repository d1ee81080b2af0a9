/** The options of a collector. */

import { collectTable } from "../options/collect-table.ts";
import type { OptionChecks } from "../options/option-check.ts";
import { checksOf } from "../options/option-row.ts";
import type { Keep, Listen } from "../options/option-texts.ts";
import type { NetworkOptions } from "../trust/network-options.ts";
import type { CollectReporter } from "./reporter.ts";

export interface CollectOptions extends NetworkOptions {
  /** Where pushes are received. Port 0 is any free port. */
  readonly listen: Listen;
  /** The file of the hash database. */
  readonly database: string;
  readonly keep?: Keep | undefined;
  /** Interval between two readings of the lists, and between two polls. */
  readonly pollMs?: number | undefined;
  /** Ends the collector. */
  readonly signal: AbortSignal;
  readonly reporter?: CollectReporter | undefined;
}

export const collectDefaults = {
  keep: collectTable.keep.default,
  pollMs: collectTable.pollMs.default,
} as const;

export const collectChecks: OptionChecks<CollectOptions> = checksOf(collectTable);
