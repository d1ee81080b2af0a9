/** `snapshot-assemble collect`: collects the network's gossip until a signal ends it. */

import type { CollectOptions } from "../../collect/options.ts";
import type { CollectEvent, CollectReporter } from "../../collect/reporter.ts";
import type { CollectStatus } from "../../collect/status.ts";
import { messageLine, printableJson } from "../../text/printable.ts";
import { describeOffence } from "../../ui/describe-event.ts";
import { formatCount, formatCounted } from "../../ui/format.ts";
import { makeStyle } from "../../ui/style.ts";
import type { Io } from "../io.ts";
import { type CommandLineFlags, libraryOptionsOf } from "../library-options.ts";
import { requireNetwork } from "../network.ts";
import type { Outcome } from "../outcome.ts";

/** The options of the library, and those of the command line. */
export type CollectFlags = Omit<CollectOptions, "signal" | "reporter"> & CommandLineFlags;

export const collectExamples = `Examples:
  $ snapshot-assemble collect --archiver http://127.0.0.1:4000 --listen 127.0.0.1:4100 --hash-db hashes.sqlite
      receives pushed gossip, and polls validators for missed messages
  $ snapshot-assemble collect --archiver http://127.0.0.1:4000 --keep 7d --json
      keeps the gossip of a week, and prints events as JSON lines
  $ snapshot-assemble --archiver http://127.0.0.1:4000 --timestamp latest --hash-db hashes.sqlite
      assembles a snapshot with the collected gossip
`;

export const collectHelp = `
Over HTTP:
  POST /partition-gossip          one message, or {"messages":[…]}; 202 or 200 once it is on the disk
  GET  /partition-gossip?cycle=n  every message of a cycle
  GET  /healthz                   reports health

It runs until SIGINT or SIGTERM. Then it commits and acknowledges the messages under way, and ends with
status 0. A second signal ends it at once.
`;

export async function runCollect(flags: CollectFlags, io: Io): Promise<Outcome> {
  const options = libraryOptionsOf("collect", flags, io.env);
  requireNetwork(options, true);
  const reporter = reporterOf(flags, io);
  const { collect } = await import("../../app/collect.ts");
  const status = await collect({ ...options, signal: io.signal, reporter });
  // The summary's `ok` states whether the command succeeded, not whether the collector was healthy.
  const { ok: _ok, ...summary } = status;
  return { summary, lines: () => describeStatus(status) };
}

function reporterOf(
  { json, quiet }: CommandLineFlags,
  { stdout, stderr, env }: Io,
): CollectReporter | undefined {
  const isShown = ({ type }: CollectEvent) => quiet !== true || type === "warning" || type === "offence";
  if (json === true) {
    const write = (event: CollectEvent) => void stdout.write(`${printableJson(event)}\n`);
    return { report: (event) => (isShown(event) ? write(event) : undefined) };
  }
  const style = makeStyle(stderr.isTTY, env);
  const paint = { warning: style.warning("warning:"), offence: style.warning("offence:") };
  const write = (event: CollectEvent) => void stderr.write(`${describeEvent(event, paint)}\n`);
  return { report: (event) => (isShown(event) ? write(event) : undefined) };
}

function describeEvent(event: CollectEvent, label: { warning: string; offence: string }): string {
  switch (event.type) {
    case "listening":
      return `listening on ${event.url}`;
    case "network":
      return `${formatCounted(event.nodes, "node")}; the newest cycle is ${event.newestCycle}`;
    case "agreed":
      return `cycle ${event.cycle}: agreed on ${event.networkHash}, by the messages of ${event.heard} of ${formatCounted(event.nodes, "node")}`;
    case "offence":
      return `${label.offence} ${describeOffence(event.offence)}`;
    case "warning":
      return `${label.warning} ${messageLine(event.message)}`;
  }
}

function describeStatus({ messages, cycles, pushed }: CollectStatus): string[] {
  const range = cycles.first === null ? "of no cycle" : `of cycles ${cycles.first} to ${cycles.last}`;
  return [
    `kept       ${formatCounted(messages, "message")} ${range}, ${formatCounted(cycles.agreed, "agreed network hash")}`,
    `pushed     ${formatCount(pushed.stored)} stored, ${formatCount(pushed.known)} known, ${formatCount(pushed.refused)} refused`,
  ];
}
