/** `snapshot-assemble collect`: a listener that takes part in the gossip until it is ended. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { collectDefaults, type Keep } from "../../collect/options.ts";
import type { CollectEvent, CollectReporter } from "../../collect/reporter.ts";
import type { CollectStatus } from "../../collect/status.ts";
import { keepCyclesMax } from "../../limits/limits.ts";
import { messageLine, printableJson } from "../../text/printable.ts";
import { describeOffence } from "../../ui/describe-event.ts";
import { formatCount, formatCounted } from "../../ui/format.ts";
import { makeStyle } from "../../ui/style.ts";
import type { Io } from "../io.ts";
import { addNetworkOptions, type NetworkFlags, networkOptionsOf } from "../network-options.ts";
import type { Outcome } from "../outcome.ts";
import { durationHelp, parseAge, parseCount, parseDuration } from "../values.ts";

interface Listen {
  readonly host: string;
  readonly port: number;
}

export interface CollectFlags extends NetworkFlags {
  readonly listen: Listen;
  readonly hashDb: string;
  readonly keep: Keep;
  readonly poll: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export const collectExamples = `Examples:
  $ snapshot-assemble collect --archiver http://127.0.0.1:4000 --listen 127.0.0.1:4100 --hash-db hashes.sqlite
      takes pushed gossip in, and polls validators for what it missed
  $ snapshot-assemble collect --archiver http://127.0.0.1:4000 --keep 7d --json
      keeps a week, and tells what happens as JSON lines
  $ snapshot-assemble --archiver http://127.0.0.1:4000 --timestamp latest --hash-db hashes.sqlite
      a run that knows the hashes already
`;

const collectHelp = `
Over HTTP:
  POST /partition-gossip          one message, or {"messages":[…]}; 202 or 200 once it is on the disk
  GET  /partition-gossip?cycle=n  every message of a cycle
  GET  /healthz                   how it is

It goes on until it is ended. SIGINT and SIGTERM end it cleanly, with status 0: what was being pushed is
committed and acknowledged first. A second one ends it at once.
`;

export function addCollectOptions(command: Command): Command {
  return addNetworkOptions(
    command.description(
      "Listens to the network's gossip, and keeps what was said and agreed on in a hash database.",
    ),
  )
    .addOption(
      new Option("--listen <address>", "where pushed messages are taken in, as host:port")
        .argParser(parseListen)
        .default({ host: "127.0.0.1", port: 4100 }, "127.0.0.1:4100"),
    )
    .option("--hash-db <file>", "the hash database; it is created where there is none", "hashes.sqlite")
    .addOption(
      new Option(
        "--keep <n|age>",
        "forget all but the newest n cycles, or those of an age like 12h, 7d or 2w",
      )
        .argParser(parseKeep)
        .default(collectDefaults.keep, String(collectDefaults.keep.cycles)),
    )
    .addOption(
      new Option(
        "--poll <duration>",
        `between two looks at the lists, and at what was missed (${durationHelp})`,
      )
        .argParser(parseDuration)
        .default(collectDefaults.pollMs, "30s"),
    )
    .option("--json", "one JSON object a line on stdout, the last one the summary")
    .option("--quiet", "print nothing but warnings, offences and failures")
    .addHelpText("after", collectHelp);
}

export async function runCollect(flags: CollectFlags, io: Io): Promise<Outcome> {
  const { listen, hashDb: database, keep, poll: pollMs, json, quiet, ...network } = flags;
  const options = networkOptionsOf(network, true, io.env);
  const reporter = reporterOf({ json, quiet }, io);
  const { collect } = await import("../../app/collect.ts");
  const status = await collect({ ...options, listen, database, keep, pollMs, signal: io.signal, reporter });
  // Whether it was well is another question than whether it ended well, which the summary's `ok` says.
  const { ok: _ok, ...summary } = status;
  return { summary, lines: () => describeStatus(status) };
}

function reporterOf(
  { json, quiet }: { json: boolean | undefined; quiet: boolean | undefined },
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

function parseListen(text: string): Listen {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] !== undefined && port <= 65_535) return { host: match[1].replace(/^\[|\]$/g, ""), port };
  throw new InvalidArgumentError("expected host:port, such as 127.0.0.1:4100 or [::1]:4100");
}

/** Without a unit it is a number of cycles, as the option's name for its value says. */
function parseKeep(text: string): Keep {
  if (/^\d+$/.test(text)) return { cycles: parseCount(1, keepCyclesMax)(text) };
  try {
    return { ageMs: parseAge(text) };
  } catch {
    throw new InvalidArgumentError("expected a number of cycles, or an age such as 90m, 12h, 7d or 2w");
  }
}
