/** From the process's arguments to its exit status. */

import { type Command, CommanderError } from "commander";
import { diskFailure, Failure } from "../model/failure.ts";
import { printable } from "../model/printable.ts";
import { makeStyle } from "../ui/style.ts";
import { quoted } from "../wire/parse.ts";
import { clusterHelp } from "./cluster-command.ts";
import { DEFECT, type EndingSignal, SUCCESS, statusOfFailure, statusOfSignal } from "./exit-status.ts";
import type { Io } from "./io.ts";
import { emptyRunSummary, type Outcome } from "./outcome.ts";
import { buildProgram } from "./program.ts";

/** Runs the command that the process was started with, and sets its exit status. */
export async function main(): Promise<void> {
  const ending = new AbortController();
  let received: EndingSignal | undefined;
  const onSignal = (signal: EndingSignal) => {
    // The first one ends cleanly, the second one at once.
    if (received !== undefined) process.exit(statusOfSignal(signal));
    received = signal;
    ending.abort(new Failure("interrupted", `ended by ${signal}`));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  // A reader that goes away (`| head`) has seen enough; the run goes on, and its status is its own.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") {
        // A cluster has nothing to do but to be there for its reader, and to tell.
        if (stream === process.stdout && process.argv[2] === "cluster") ending.abort();
        return;
      }
      // What a full disk takes no more of is lost, but its reader must know.
      const { code } = diskFailure("cannot write the output", error);
      process.exit(statusOfFailure(code, undefined));
    });
  }
  const { stdout, stderr, env, argv } = process;
  const io: Io = { stdout, stderr, env, signal: ending.signal };
  process.exitCode = await run(argv.slice(2), io, () => received);
  // Servers and sockets are closed by now: whatever is left must not keep a finished run alive.
  process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
}

/** Runs a command line; answers its exit status. */
export async function run(
  args: readonly string[],
  io: Io,
  signalReceived: () => EndingSignal | undefined = () => undefined,
): Promise<number> {
  let outcome: Outcome = { summary: {} };
  try {
    const program = buildProgram({
      io,
      clusterHelp: args.includes("cluster") ? await clusterHelp() : "",
      end: (reached) => {
        outcome = reached;
      },
    });
    requireKnownCommand(program, args[0]);
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return SUCCESS;
    outcome = { summary: {}, error: error instanceof CommanderError ? usageFailure(error) : error };
  }
  return tell(outcome, args, io, signalReceived());
}

/** The main job has no name and takes no arguments: a word that comes first is a command or a mistake. */
function requireKnownCommand(program: Command, word: string | undefined): void {
  const names = ["help", ...program.commands.map((command) => command.name())];
  if (word === undefined || word.startsWith("-") || names.includes(word)) return;
  throw new Failure("usage", `there is no command ${quoted(word)}`, {
    hint: `The commands are ${names.slice(1).join(", ")}; the main job has no name: snapshot-assemble --timestamp <time> …`,
  });
}

function usageFailure({ message }: CommanderError): Failure {
  return new Failure("usage", message.replace(/^error: /, ""), { hint: "See snapshot-assemble --help." });
}

function tell(
  { summary, text, error }: Outcome,
  args: readonly string[],
  io: Io,
  signal?: EndingSignal,
): number {
  const isJson = args.includes("--json");
  const isQuiet = args.includes("--quiet");
  const exitCode = error === undefined ? SUCCESS : statusOf(error, signal);
  // A cluster has said where it is by the time that it ends.
  if (isJson && (args[0] !== "cluster" || error !== undefined)) {
    const base = isMainJob(args) ? emptyRunSummary : {};
    const failed = error === undefined ? {} : { error: describeError(error) };
    io.stdout.write(
      `${JSON.stringify({ type: "summary", ok: exitCode === SUCCESS, exitCode, ...base, ...summary, ...failed })}\n`,
    );
  } else if (error === undefined && text !== undefined && !isQuiet) {
    io.stdout.write(`${printable(text())}\n`);
  }
  if (error !== undefined && !isJson) tellError(error, io);
  if (exitCode === DEFECT) io.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return exitCode;
}

function isMainJob(args: readonly string[]): boolean {
  return !["plan", "verify", "cluster", "collect", "nodes"].includes(args[0] ?? "");
}

function statusOf(error: unknown, signal: EndingSignal | undefined): number {
  return error instanceof Failure ? statusOfFailure(error.code, signal) : DEFECT;
}

function describeError(error: unknown): { code: string; message: string; hint: string } {
  if (error instanceof Failure) return { code: error.code, message: error.message, hint: error.hint ?? "" };
  return {
    code: "defect",
    message: String(error),
    hint: "This is a defect of snapshot-assemble: please report it.",
  };
}

function tellError(error: unknown, { stderr, env }: Io): void {
  const style = makeStyle(stderr.isTTY, env);
  const { message, hint } = describeError(error);
  const told = `${message}\n${hint === "" ? "" : `hint: ${hint}\n`}`;
  stderr.write(`${style.error("error:")} ${printable(told)}`);
}
