/** The options of a collector. */

import { keepCyclesMax } from "../limits/limits.ts";
import * as check from "../options/option-check.ts";
import { type NetworkOptions, networkChecks } from "../trust/network-options.ts";
import type { CollectReporter } from "./reporter.ts";

/** How much a hash database keeps: the newest cycles, by number or by age. */
export type Keep = { readonly cycles: number } | { readonly ageMs: number };

export interface CollectOptions extends NetworkOptions {
  /** Where pushes are received. Port 0 is any free port. */
  readonly listen: { readonly host: string; readonly port: number };
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
  keep: { cycles: 256 },
  pollMs: 30_000,
} as const;

export const collectChecks: check.OptionChecks<CollectOptions> = {
  ...networkChecks,
  listen: check.required({ accepts: isListen, expected: "{ host, port } with a port from 0 to 65535" }),
  database: check.required(check.path),
  keep: { accepts: isKeep, expected: `{ cycles } from 1 to ${keepCyclesMax}, or { ageMs } greater than 0` },
  pollMs: check.milliseconds,
  signal: check.required(check.abortSignal),
  reporter: check.reporter,
};

function isListen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const [host, port] = [Reflect.get(value, "host"), Reflect.get(value, "port")];
  return typeof host === "string" && host !== "" && Number.isInteger(port) && port >= 0 && port <= 65_535;
}

function isKeep(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const [cycles, ageMs] = [Reflect.get(value, "cycles"), Reflect.get(value, "ageMs")];
  if (cycles !== undefined) return Number.isInteger(cycles) && cycles >= 1 && cycles <= keepCyclesMax;
  return typeof ageMs === "number" && ageMs > 0;
}
