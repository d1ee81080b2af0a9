/**
 * Reads the arguments before they are parsed: the command, and its options wherever they are. Options before the name
 * of a command are moved behind it, so that the main command does not parse and then drop them.
 */

import type { Command, Option } from "commander";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { repeatableFlags, urlFlags } from "../options/command-options.ts";
import { withoutUrls } from "../text/shown-url.ts";
import { quoted } from "../wire/parse.ts";

export interface CommandLine {
  /** `undefined` for the main job. */
  readonly command: string | undefined;
  /** The arguments, with the command first. */
  readonly args: readonly string[];
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  /** The first unknown option. */
  readonly unknown: string | undefined;
  /** A usage error that holds for every command. */
  readonly problem: SnapshotError | undefined;
}

/** Options of the main command alone; the program ends after them. */
const versionFlags: ReadonlySet<string> = new Set(["-V", "--version"]);

export function readCommandLine(args: readonly string[], program: Command): CommandLine {
  const reading = new Reading(program);
  reading.readAll(args);
  const { command, before, after, flags, problem } = reading;
  const isUnchanged = command === undefined || before.some((arg) => versionFlags.has(arg));
  return {
    command,
    args: isUnchanged ? args : [command, ...before, ...after],
    isJson: flags.has("--json"),
    isQuiet: flags.has("--quiet"),
    isVerbose: flags.has("--verbose"),
    unknown: reading.unknown,
    problem,
  };
}

class Reading {
  readonly #program: Command;
  command: string | undefined;
  readonly before: string[] = [];
  readonly after: string[] = [];
  /** Options that take no value. */
  readonly flags = new Set<string>();
  readonly #values = new Map<string, string>();
  problem: SnapshotError | undefined;
  /** The first unknown option. A word behind it is probably meant as its value. */
  unknown: string | undefined;

  constructor(program: Command) {
    this.#program = program;
  }

  readAll(args: readonly string[]): void {
    for (let index = 0; index < args.length; index++) {
      const arg = args[index] ?? "";
      if (arg === "--") {
        this.#keep(...args.slice(index));
        return;
      }
      if (!arg.startsWith("-")) {
        this.#readWord(arg);
        continue;
      }
      const [name = ""] = arg.split("=", 1);
      const option = this.#find(name);
      if (option?.required !== true) {
        if (option === undefined && !isBuiltIn(name)) this.unknown ??= name;
        this.#keep(arg);
        this.flags.add(arg);
        continue;
      }
      this.#keep(arg);
      if (arg.length > name.length) {
        this.#readValue(name, arg.slice(name.length + 1));
        continue;
      }
      const value = args[index + 1];
      if (value === undefined || this.#isOption(value)) {
        this.#refuse(
          `missing value of ${name}`,
          `Add a value; write ${name}=-… for a value that begins with a dash.`,
        );
        continue;
      }
      this.#keep(value);
      this.#readValue(name, value);
      index++;
    }
  }

  #readWord(word: string): void {
    const names = ["help", ...this.#program.commands.map((command) => command.name())];
    if (word.trim() === "") this.#refuse("an argument is empty", "Add a value, or leave out the argument.");
    else if (this.command === "help" && !names.includes(word)) this.#refuseCommand(word, names);
    else if (isUrl(word) && this.unknown === undefined)
      this.#refuse("an argument is a URL", "Give the path of a directory or a file.");
    else if (this.command !== undefined) this.#keep(word);
    else if (names.includes(word)) this.#begin(word);
    // The parser reports the unknown option, and suggests another.
    else if (this.unknown !== undefined) this.#keep(word);
    else this.#refuseCommand(word, names);
  }

  #refuseCommand(word: string, names: readonly string[]): void {
    // The main job has no name and takes no arguments, so a word that is not a command is a mistake.
    this.#refuse(
      `unknown command ${shown(word)}`,
      `The commands are ${names.slice(1).join(", ")}. To assemble a snapshot, leave out the command: snapshot-assemble --timestamp <time> …`,
    );
  }

  #begin(command: string): void {
    this.command = command;
    const [option] = this.before;
    if (command !== "help" || option === undefined) return;
    this.#refuse(`help does not take the option ${shown(option)}`, "See snapshot-assemble --help.");
  }

  #readValue(name: string, value: string): void {
    const earlier = this.#values.get(name);
    this.#values.set(name, value);
    if (value.trim() === "") {
      this.#refuse(`the value of ${name} is empty`, "Add a value, or leave out the option.");
    } else if (isUrl(value) && !urlFlags.has(name)) {
      this.#refuse(
        `${name} does not take a URL`,
        `Only ${[...urlFlags].join(" and ")} take a URL; see --help.`,
      );
    } else if (earlier !== undefined && earlier !== value && !repeatableFlags.has(name)) {
      this.#refuse(`${name} is given twice, with different values`, "Give the option once.");
    }
  }

  /** Keeps the first problem, which is reported. */
  #refuse(problem: string, hint: string): void {
    this.problem ??= new SnapshotError("usage", problem, { hint });
  }

  #keep(...args: string[]): void {
    (this.command === undefined ? this.before : this.after).push(...args);
  }

  #isOption(arg: string): boolean {
    return this.#find(arg.split("=", 1)[0] ?? "") !== undefined;
  }

  /** Returns an option of the command or, before the command is known, of any command. */
  #find(name: string): Option | undefined {
    const { commands } = this.#program;
    const meant = commands.filter((command) => this.command === undefined || command.name() === this.command);
    const known = this.command === undefined ? [this.#program, ...meant] : meant;
    return known.flatMap(({ options }) => options).find(({ long, short }) => name === long || name === short);
  }
}

function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

function isBuiltIn(name: string): boolean {
  return versionFlags.has(name) || name === "-h" || name === "--help";
}

function shown(arg: string): string {
  return quoted(withoutUrls(arg));
}
