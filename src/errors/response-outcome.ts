/** The outcome of a request for a partial snapshot: a closed set. */

import type { FetchErrorKind } from "./fetch-error.ts";
import type { ResponseErrorKind } from "./response-error.ts";

export type ResponseOutcome =
  | "complete"
  /** Complete, but with a partition that does not have the agreed hash. */
  | "wrong"
  /** Cancelled: another node gave the same partitions first. */
  | "hedged"
  /** Cancelled: it had nothing left to give. */
  | "not-needed"
  | "disk-full"
  | Exclude<FetchErrorKind, "aborted">
  | ResponseErrorKind;
