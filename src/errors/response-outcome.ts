/** How a request for a partial snapshot ended, as a closed set. */

import type { FetchErrorKind } from "./fetch-error.ts";
import type { ResponseErrorKind } from "./response-error.ts";

export type ResponseOutcome =
  | "complete"
  /** Complete, with a partition that does not have the agreed hash. */
  | "wrong"
  /** Ended by us: another node gave the same first. */
  | "hedged"
  /** Ended by us: everything is verified. */
  | "not-needed"
  | "disk-full"
  | Exclude<FetchErrorKind, "aborted">
  | ResponseErrorKind;
