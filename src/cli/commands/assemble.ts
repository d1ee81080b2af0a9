/** The main job: `snapshot-assemble --timestamp <t>`. */

import { resolve } from "node:path";
import type { AssembleResult } from "../../app/assemble.ts";
import type { AssembleOptions } from "../../app/assembly/options.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { AssembleEvent, Reporter, RunSummary } from "../../events/assemble-events.ts";
import { parseSnapshotTime, type SnapshotTime } from "../../trust/chain/timestamp.ts";
import { describeRunBytes } from "../../ui/describe-event.ts";
import { formatBytes, formatCounted, formatDuration } from "../../ui/format.ts";
import { makeStyle } from "../../ui/style.ts";
import { commandFailure } from "../command-failure.ts";
import type { Io } from "../io.ts";
import { type CommandLineFlags, libraryOptionsOf } from "../library-options.ts";
import { requireNetwork, withCluster } from "../network.ts";
import type { Outcome } from "../outcome.ts";

/** The options of the library, and those of the command line. */
export type AssembleFlags = Omit<AssembleOptions, "timestamp" | "signal" | "reporter"> &
  CommandLineFlags & { readonly timestamp?: string };

export const assembleExamples = `Examples:
  $ snapshot-assemble --archiver http://127.0.0.1:4000 --timestamp latest
      assembles the newest snapshot that the validators hold, into ./snapshots
  $ snapshot-assemble --archiver http://127.0.0.1:4000 --timestamp 2023-11-14T22:24:00Z --out /var/lib/snapshots
      assembles the snapshot of one cycle boundary
  $ snapshot-assemble --nodes nodes.json --cycles cycles.json --gossip gossip.jsonl --timestamp cycle:1234 --json
      reads the lists and gossip from files, and prints JSON for a script
  $ snapshot-assemble --archiver http://127.0.0.1:4000 --timestamp cycle:1234 --mirror https://peer.example --evidence https://peer.example
      assembles a snapshot that validators have dropped, from what another archiver has published
  $ snapshot-assemble --cluster nine-honest --timestamp latest
      tries the program without a network: starts nine validators on this machine
`;

export async function runAssemble(flags: AssembleFlags, io: Io): Promise<Outcome> {
  if (flags.timestamp === undefined) {
    throw new SnapshotError("usage", "missing --timestamp", {
      hint: "Give --timestamp <time>, such as --timestamp latest; --help has examples.",
    });
  }
  const timestamp = parseSnapshotTime(flags.timestamp);
  return await withCluster(flags, io, (withNetwork) => assembleFrom(withNetwork, timestamp, io));
}

async function assembleFrom(flags: AssembleFlags, timestamp: SnapshotTime, io: Io): Promise<Outcome> {
  const options = libraryOptionsOf("", flags, io.env);
  requireNetwork(options, true);
  let summary: RunSummary | undefined;
  const { assemble } = await import("../../app/assemble.ts");
  const shown = await reporterOf(flags, io);
  const reporter: Reporter = {
    report: (event: AssembleEvent) => {
      if (event.type === "end") summary = event.summary;
      shown?.report(event);
    },
  };
  // The cycles of a fixture cluster are in the past.
  const maxAgeMs = flags.maxAgeMs ?? (flags.cluster === undefined ? undefined : fixtureMaxAgeMs(timestamp));
  const out = resolve(flags.out);
  const { signal } = io;
  try {
    const result = await assemble({ ...options, timestamp, maxAgeMs, out, signal, reporter });
    return { summary: { ...result }, lines: () => describeResult(result) };
  } catch (error) {
    return { summary: { ...summary }, error: commandFailure(error) };
  }
}

function fixtureMaxAgeMs({ kind }: SnapshotTime): number | undefined {
  return kind === "latest" ? Number.POSITIVE_INFINITY : undefined;
}

async function reporterOf(
  { json, quiet }: AssembleFlags,
  { stdout, stderr, env }: Io,
): Promise<Reporter | undefined> {
  const style = makeStyle(stderr.isTTY, env);
  // The summary contains the warnings and the offences.
  if (quiet === true && json === true) return undefined;
  if (quiet === true) {
    const { QuietReporter } = await import("../../ui/quiet-reporter.ts");
    return new QuietReporter((line) => stderr.write(`${line}\n`), style);
  }
  if (json === true) {
    const { JsonReporter } = await import("../../ui/json-reporter.ts");
    return new JsonReporter((line) => stdout.write(`${line}\n`));
  }
  // A dumb terminal cannot overwrite a line.
  if (stderr.isTTY === true && env["TERM"] !== "dumb") {
    const { BarReporter } = await import("../../ui/bar-reporter.ts");
    return new BarReporter(stderr, style);
  }
  const { LineReporter } = await import("../../ui/line-reporter.ts");
  return new LineReporter((line) => stderr.write(`${line}\n`), style);
}

function describeResult(result: AssembleResult): string[] {
  const { timestamp, cycle, partitions, accounts, bytes, stateBytes } = result;
  const { networkHash, digest, directory, durationMs } = result;
  const state = `${formatCounted(accounts, "account")} (${formatBytes(stateBytes)}) in ${formatCounted(partitions.total, "partition")}`;
  return [
    `snapshot      ${timestamp}, ${new Date(timestamp).toISOString()}, the end of cycle ${cycle}`,
    `state         ${state}, all verified`,
    `bytes         ${describeRunBytes(bytes)}`,
    `network hash  ${networkHash}`,
    `digest        ${digest}`,
    `published     ${directory} in ${formatDuration(durationMs)}`,
  ];
}
