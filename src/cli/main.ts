/** Maps the arguments of the process to its exit status. */

import "../limits/relations/relations.ts";
import { type Command, CommanderError } from "commander";
import { diskError, SnapshotError } from "../errors/snapshot-error.ts";
import { printable, printableJson } from "../text/printable.ts";
import { withoutUrls } from "../text/shown-url.ts";
import { makeStyle } from "../ui/style.ts";
import { type CommandFailure, commandFailure, DefectError } from "./command-failure.ts";
import { type CommandLine, readCommandLine } from "./command-line.ts";
import { clusterHelp } from "./commands/cluster.ts";
import { isDebugging, printDebugEvents, printState } from "./debug-output.ts";
import { DEFECT, type EndingSignal, SUCCESS, statusOfError, statusOfSignal } from "./exit-status.ts";
import type { Io } from "./io.ts";
import { emptySummaries, type Outcome } from "./outcome.ts";
import { buildProgram } from "./program.ts";

/** Runs the command line of the process, and sets the exit status. */
export async function main(): Promise<void> {
  const ending = new AbortController();
  let received: EndingSignal | undefined;
  const onSignal = (signal: EndingSignal) => {
    // The first signal ends the command cleanly, the second one at once.
    if (received !== undefined) process.exit(statusOfSignal(signal));
    received = signal;
    ending.abort(new SnapshotError("interrupted", `ended by ${signal}`));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  // Without a listener, SIGUSR1 starts Node's debugger.
  const onInspect = () => printState(process);
  if (process.platform !== "win32") process.on("SIGUSR1", onInspect);
  // A reader that closes its end (`| head`) does not end a run, and does not change its status.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") {
        // A cluster runs only for the reader of its output.
        if (stream === process.stdout && firstWord(process.argv.slice(2)) === "cluster") ending.abort();
        return;
      }
      // Output that a full disk refuses is lost; the status reports it.
      const { code } = diskError("cannot write the output", error);
      process.exit(statusOfError(code, undefined));
    });
  }
  const { stdout, stderr, env, argv } = process;
  const io: Io = { stdout, stderr, env, signal: ending.signal };
  process.exitCode = await run(argv.slice(2), io, () => received);
  // Listeners must not keep a finished run alive.
  process.off("SIGINT", onSignal).off("SIGTERM", onSignal).off("SIGUSR1", onInspect);
}

function firstWord(args: readonly string[]): string | undefined {
  return args.find((arg) => !arg.startsWith("-"));
}

/** Runs a command line. Returns its exit status. */
export async function run(
  args: readonly string[],
  io: Io,
  signalReceived: () => EndingSignal | undefined = () => undefined,
): Promise<number> {
  let outcome: Outcome = { summary: {} };
  const program = buildProgram({
    io,
    clusterHelp: args.includes("cluster") ? await clusterHelp() : "",
    end: (reached) => {
      outcome = reached;
    },
  });
  const commandLine = readCommandLine(args, program);
  const isVerbose = commandLine.isVerbose || isDebugging(io.env);
  const endDebugging = isVerbose ? printDebugEvents(io) : undefined;
  try {
    if (commandLine.problem !== undefined) throw commandLine.problem;
    await program.parseAsync([...commandLine.args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return SUCCESS;
    outcome = { summary: {}, error: await failureOfParsing(error, commandLine, program) };
  } finally {
    endDebugging?.();
  }
  return report(outcome, commandLine, io, signalReceived());
}

/** Returns the failure of parsing. A usage error without its own hint refers to the help of the command. */
async function failureOfParsing(
  thrown: unknown,
  { command, unknown }: CommandLine,
  program: Command,
): Promise<CommandFailure> {
  const name = command === undefined || command === "help" ? "" : `${command} `;
  const hint = `See snapshot-assemble ${name}--help.`;
  if (thrown instanceof CommanderError) {
    const message = withoutUrls(thrown.message.replace(/^error: /, ""));
    if (thrown.code !== "commander.unknownOption" || unknown === undefined)
      return new SnapshotError("usage", message, { hint });
    const { suggestionFor } = await import("./suggestion.ts");
    const owner = program.commands.find((each) => each.name() === command) ?? program;
    const suggestion = suggestionFor(unknown, owner);
    // A suggestion by spelling, on a second line, would be worse.
    const [problem] = message.split("\n", 1);
    const suggested = suggestion === undefined ? message : `${problem} (${suggestion})`;
    return new SnapshotError("usage", suggested, { hint });
  }
  const failure = commandFailure(thrown);
  const isBare = failure.code === "usage" && failure.hint === undefined;
  return isBare ? new SnapshotError("usage", failure.message, { details: failure.details, hint }) : failure;
}

function report(
  { summary, lines, error }: Outcome,
  { command, isJson, isQuiet }: CommandLine,
  io: Io,
  signal: EndingSignal | undefined,
): number {
  const exitCode = error === undefined ? SUCCESS : statusOf(error, signal);
  // A cluster that ends has already printed its description.
  if (isJson && (command !== "cluster" || error !== undefined)) {
    const base = emptySummaries[command ?? ""];
    const failed = error === undefined ? {} : { error: describeError(error) };
    const all = { type: "summary", ok: exitCode === SUCCESS, exitCode, ...base, ...summary, ...failed };
    io.stdout.write(`${printableJson(all)}\n`);
  } else if (error === undefined && lines !== undefined && !isQuiet) {
    for (const line of lines()) io.stdout.write(`${printable(line)}\n`);
  }
  if (error !== undefined && !isJson) writeError(error, io);
  if (error instanceof DefectError) for (const line of error.stackLines) io.stderr.write(`${line}\n`);
  return exitCode;
}

function statusOf(error: CommandFailure, signal: EndingSignal | undefined): number {
  return error.code === "defect" ? DEFECT : statusOfError(error.code, signal);
}

interface ErrorDescription {
  readonly code: CommandFailure["code"];
  readonly message: string;
  readonly details: readonly string[];
  readonly hint: string;
}

function describeError({ code, message, details, hint }: CommandFailure): ErrorDescription {
  return { code, message, details, hint: hint ?? "" };
}

function writeError(error: CommandFailure, { stderr, env }: Io): void {
  const style = makeStyle(stderr.isTTY, env);
  const { message, details, hint } = describeError(error);
  stderr.write(`${style.error("error:")} ${printable(message)}\n`);
  for (const detail of details) stderr.write(`  ${printable(detail)}\n`);
  if (hint !== "") stderr.write(`hint: ${printable(hint)}\n`);
}
