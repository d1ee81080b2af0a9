/** What a collector is told. */

import type { NetworkOptions } from "../network/options.ts";
import type { CollectReporter } from "./reporter.ts";

/** How much a hash database keeps: the newest cycles, so many of them or of so much time. */
export type Keep = { readonly cycles: number } | { readonly ageMs: number };

export interface CollectOptions extends NetworkOptions {
  /** Where pushes are taken in; port 0 is any that is free. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The file of the hash database. */
  readonly database: string;
  readonly keep?: Keep | undefined;
  /** Between two looks at the lists, and at cycles that were missed. */
  readonly pollMs?: number | undefined;
  /** Ends the collector. */
  readonly signal: AbortSignal;
  readonly reporter?: CollectReporter | undefined;
}

export const collectDefaults = {
  keep: { cycles: 256 },
  pollMs: 30_000,
} as const;
