/** Converts the events of a run to those that a reporter receives. */

import { messageLine } from "../text/printable.ts";
import type { AssembleEvent } from "./assemble-events.ts";
import type { RunEvent } from "./run-events.ts";
import type { RunState } from "./run-state.ts";

/**
 * Returns the report of an event; `undefined` if it is not reported.
 *
 * @param before the state before the event
 * @param after the state after it
 */
export function reportOf(event: RunEvent, before: RunState, after: RunState): AssembleEvent | undefined {
  switch (event.type) {
    case "stage":
      return { type: "stage", message: messageLine(event.message) };
    case "warning":
      return { type: "warning", message: messageLine(event.message) };
    case "request":
      return { type: "asked", node: event.node };
    case "received":
    case "verified":
    case "kept":
      return { type: "progress", progress: after.progress };
    case "response":
      return after.queries === undefined ? undefined : { type: "query", query: after.queries.last };
    case "offence": {
      // The state ignores an offence that is not held against its node.
      const { recorded } = after.offences;
      if (after.offences === before.offences || recorded === undefined) return undefined;
      return { type: "offence", offence: recorded.last };
    }
    case "mismatched":
    case "unfit-base":
    case "boundary":
    case "settings":
    case "agreed":
    case "damaged":
    case "published":
      return undefined;
  }
}
