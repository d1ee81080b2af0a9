/** Prints the events of a restore, or of a resumption. */

import type { RestoreEvent, RestoreReporter } from "../../events/restore-events.ts";
import { messageLine, printableJson } from "../../text/printable.ts";
import { formatCount, formatCounted } from "../../ui/format.ts";
import { makeStyle, type Style } from "../../ui/style.ts";
import type { Io } from "../io.ts";
import type { CommandLineFlags } from "../library-options.ts";

/** The time between two lines about progress. */
const progressMs = 2_000;

export function reporterOf({ json, quiet }: CommandLineFlags, { stdout, stderr, env }: Io): RestoreReporter {
  const isShown = ({ type }: RestoreEvent) => quiet !== true || type === "warning";
  if (json === true) {
    const write = (event: RestoreEvent) => void stdout.write(`${printableJson(event)}\n`);
    return { report: (event) => (isShown(event) ? write(event) : undefined) };
  }
  const style = makeStyle(stderr.isTTY, env);
  let lastMs = performance.now();
  return {
    report: (event) => {
      if (!isShown(event)) return;
      const nowMs = performance.now();
      if ((event.type === "progress" || event.type === "replayed") && nowMs - lastMs < progressMs) return;
      lastMs = nowMs;
      stderr.write(`${describeEvent(event, style)}\n`);
    },
  };
}

function describeEvent(event: RestoreEvent, style: Style): string {
  switch (event.type) {
    case "step":
      return messageLine(event.message);
    case "progress":
      return `${formatCount(event.accounts)} of ${formatCounted(event.total, "account")}`;
    case "replayed":
      return `${formatCount(event.receipts)} of ${formatCounted(event.total, "receipt")}`;
    case "warning":
      return `${style.warning("warning:")} ${messageLine(event.message)}`;
  }
}
