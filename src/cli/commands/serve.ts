/** `snapshot-assemble serve <directory>…`: serves published snapshots until a signal ends it. */

import type { ServeOptions, ServeResult } from "../../app/serve.ts";
import type { ServeEvent, ServeReporter } from "../../serve/reporter.ts";
import { messageLine, printableJson } from "../../text/printable.ts";
import { formatCounted } from "../../ui/format.ts";
import { makeStyle, type Style } from "../../ui/style.ts";
import type { Io } from "../io.ts";
import { type CommandLineFlags, libraryOptionsOf } from "../library-options.ts";
import type { Outcome } from "../outcome.ts";

/** The options of the library, and those of the command line. */
export type ServeFlags = Omit<ServeOptions, "signal" | "reporter"> & CommandLineFlags;

export const serveExamples = `Examples:
  $ snapshot-assemble serve snapshots/snapshot-1700000640000
      serves one snapshot on http://127.0.0.1:4000
  $ snapshot-assemble serve snapshots --listen 0.0.0.0:4000 --json
      serves every snapshot in a directory to other machines, and prints events as JSON lines
  $ snapshot-assemble serve snapshots/snapshot-1700000640000 --listen 0.0.0.0:4000 --upstream http://127.0.0.1:4001
      stands in front of an archiver: restarting validators get the accounts of the snapshot
`;

export const serveHelp = `
It verifies each snapshot before it listens, and runs until SIGINT or SIGTERM. Then it completes the responses
under way, and ends with status 0. A second signal ends it at once. It does not serve a snapshot whose files
change meanwhile, until they are the verified ones again. A snapshot that is published later needs a restart.

With --upstream, it answers the requests of restarting validators for accounts, if the archiver says that the
network is in the mode restore and that the validator is one of its nodes. It passes every other request on to
the archiver. Without --upstream, it refuses restarting validators.
`;

export async function runServe(directories: readonly string[], flags: ServeFlags, io: Io): Promise<Outcome> {
  const options = libraryOptionsOf("serve", flags, io.env);
  const { serve } = await import("../../app/serve.ts");
  const result = await serve(directories, { ...options, signal: io.signal, reporter: reporterOf(flags, io) });
  return { summary: { ...result }, lines: () => describeResult(result) };
}

function reporterOf({ json, quiet }: CommandLineFlags, { stdout, stderr, env }: Io): ServeReporter {
  const isShown = ({ type }: ServeEvent) => quiet !== true || type === "warning" || type === "changed";
  if (json === true) {
    const write = (event: ServeEvent) => void stdout.write(`${printableJson(event)}\n`);
    return { report: (event) => (isShown(event) ? write(event) : undefined) };
  }
  const style = makeStyle(stderr.isTTY, env);
  const write = (event: ServeEvent) => void stderr.write(`${describeEvent(event, style)}\n`);
  return { report: (event) => (isShown(event) ? write(event) : undefined) };
}

function describeEvent(event: ServeEvent, style: Style): string {
  switch (event.type) {
    case "verifying":
      return messageLine(`verifying ${event.directory}`);
    case "snapshot":
      return messageLine(`${event.name}: cycle ${event.cycle}, network hash ${event.networkHash}`);
    case "key":
      return `answers are signed by ${event.publicKey}${event.isFresh ? ", a key that lasts as long as the server (--key-file gives another)" : ""}`;
    case "indexing":
      return messageLine(`building ${event.path}: ${event.reason}`);
    case "indexed":
      return `indexed ${formatCounted(event.accounts, "account")}`;
    case "restoring":
      return messageLine(describeRestoring(event));
    case "served":
      return messageLine(event.message);
    case "listening":
      return `listening on ${event.url}`;
    case "changed":
      return `${style.warning("warning:")} ${messageLine(`${event.name} is no longer served: ${event.problem}`)}`;
    case "recovered":
      return `${event.name} is served again: its files are the verified ones`;
    case "warning":
      return `${style.warning("warning:")} ${messageLine(event.message)}`;
  }
}

function describeRestoring({ name, mode }: Extract<ServeEvent, { type: "restoring" }>): string {
  if (name === null) return "restarting validators get no accounts of this server";
  const state = mode === null ? "its mode is not known yet" : `it is in the mode ${mode}`;
  return `restarting validators get the accounts of ${name} while the network is in the mode restore; ${state}`;
}

function describeResult({ snapshots }: ServeResult): string[] {
  return [
    `served  ${formatCounted(snapshots.length, "snapshot")}`,
    ...snapshots.flatMap(({ name, problem }) => (problem === null ? [] : [`        ${name}: ${problem}`])),
  ];
}
