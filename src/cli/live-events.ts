/** Describes the events of a live cluster for people. Normal events of a cycle have no description. */

import type { LiveEvent } from "../testnet/live/live-description.ts";
import { messageLine } from "../text/printable.ts";
import { formatCounted } from "../ui/format.ts";
import type { Style } from "../ui/style.ts";

/** Returns a line, or `undefined` for a normal event. */
export function describeLiveEvent(event: LiveEvent, style: Style): string | undefined {
  const who = event.validator === null ? "the cluster" : `validator ${event.validator}`;
  const warning = (text: string) => `${style.warning("warning:")} ${who}: ${messageLine(text)}`;
  switch (event.type) {
    case "agreed":
      if (event.weak.length === 0) return undefined;
      return warning(
        `cycle ${event.cycle}: too few agree on the hash of ${event.weak.length === 1 ? "partition" : "partitions"} ${event.weak.join(", ")}`,
      );
    case "not-agreed":
      return warning(`cycle ${event.cycle}: no agreement from ${formatCounted(event.messages, "message")}`);
    case "disagreement": {
      const { partition, cycle, own, agreed, votesFor, outOf } = event;
      return warning(
        `its hash of partition ${partition} in cycle ${cycle} is ${own}; the agreed hash is ${agreed}, by ${votesFor} of ${outOf}`,
      );
    }
    case "export-refused":
      return warning(event.cause);
    case "cycle-missed":
      return event.isMarked ? warning(`it missed the snapshot of cycle ${event.cycle}`) : undefined;
    case "cycle-failed":
      return warning(`cycle ${event.cycle}: ${event.cause}`);
    case "mode-changed":
      return describeMode(event);
    case "server-failed": {
      const { server, problem, isExcluded } = event;
      return warning(`${server}: ${problem}${isExcluded ? "; it is not asked again" : ""}`);
    }
    case "state-fetched":
    case "export-retrieved":
    case "synced":
    case "left":
      return undefined;
    case "export-failed":
      return warning(`the export of cycle ${event.cycle} failed (${event.stage}): ${event.cause}`);
    case "validator-died":
      return warning(`it ended (${event.how})${event.isGivenUp ? "; it is not restarted" : ""}`);
    case "validator-restarted":
      return `${who} is restarted`;
    case "validator-joined":
      return `${who} joined in cycle ${event.cycle}, and syncs`;
    case "validator-activated":
      return `${who} is active from cycle ${event.cycle} on: ${formatCounted(event.nodes, "node")}`;
    case "validator-removed": {
      const how = event.isLost ? "was lost and is removed" : "left";
      return `${who} ${how} in cycle ${event.cycle}: ${formatCounted(event.nodes, "node")}`;
    }
  }
}

function describeMode({ cycle, mode }: Extract<LiveEvent, { readonly type: "mode-changed" }>): string {
  switch (mode) {
    case "restart":
      return `cycle ${cycle}: the validators join`;
    case "restore":
      return `cycle ${cycle}: the validators complete the state`;
    case "processing":
      return `cycle ${cycle}: every validator is active, and transactions are taken`;
  }
}
