/**
 * The arguments before they are parsed: which command they are for, and its options, wherever they stand. Options
 * before the name of a command are that command's, so none is parsed by one command and forgotten by another.
 */

import type { Command, Option } from "commander";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { repeatableFlags, urlFlags } from "../options/command-options.ts";
import { withoutUrls } from "../text/shown-url.ts";
import { quoted } from "../wire/parse.ts";

export interface CommandLine {
  /** `undefined` for the main job. */
  readonly command: string | undefined;
  /** With the command first. */
  readonly args: readonly string[];
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  /** What is wrong with the arguments, whatever the command makes of them. */
  readonly problem: SnapshotError | undefined;
}

/** The main command alone has these, and they end it. */
const endings: ReadonlySet<string> = new Set(["-V", "--version"]);

export function readCommandLine(args: readonly string[], program: Command): CommandLine {
  const reading = new Reading(program);
  reading.readAll(args);
  const { command, before, after, flags, problem } = reading;
  const isWhole = command === undefined || before.some((arg) => endings.has(arg));
  return {
    command,
    args: isWhole ? args : [command, ...before, ...after],
    isJson: flags.has("--json"),
    isQuiet: flags.has("--quiet"),
    isVerbose: flags.has("--verbose"),
    problem,
  };
}

class Reading {
  readonly #program: Command;
  command: string | undefined;
  readonly before: string[] = [];
  readonly after: string[] = [];
  /** Options without a value. */
  readonly flags = new Set<string>();
  readonly #values = new Map<string, string>();
  problem: SnapshotError | undefined;
  /** The first option that no command has: the word behind it was probably meant as its value. */
  #unknown: string | undefined;

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
        if (option === undefined && !isBuiltIn(name)) this.#unknown ??= name;
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
        this.#refuse(`${name} has no value`, `Give one; if it is to begin with a dash, write ${name}=-….`);
        continue;
      }
      this.#keep(value);
      this.#readValue(name, value);
      index++;
    }
  }

  #readWord(word: string): void {
    const names = ["help", ...this.#program.commands.map((command) => command.name())];
    if (word.trim() === "") this.#refuse("an argument is empty", "Give it a value, or leave it out.");
    else if (this.command === "help" && !names.includes(word)) this.#refuseCommand(word, names);
    else if (isUrl(word) && this.#unknown === undefined)
      this.#refuse("an argument is a URL", "Give the path of a directory or a file.");
    else if (this.command !== undefined) this.#keep(word);
    else if (names.includes(word)) this.#begin(word);
    else if (this.#unknown !== undefined) {
      this.#refuse(`there is no option ${shown(this.#unknown)}`, "See snapshot-assemble --help.");
    } else this.#refuseCommand(word, names);
  }

  #refuseCommand(word: string, names: readonly string[]): void {
    // The main job has no name and takes no arguments: a word is a command or a mistake.
    this.#refuse(
      `there is no command ${shown(word)}`,
      `The commands are ${names.slice(1).join(", ")}; the main job has no name: snapshot-assemble --timestamp <time> …`,
    );
  }

  #begin(command: string): void {
    this.command = command;
    const [option] = this.before;
    if (command !== "help" || option === undefined) return;
    this.#refuse(`${shown(option)} is no option of help`, "See snapshot-assemble --help.");
  }

  #readValue(name: string, value: string): void {
    const earlier = this.#values.get(name);
    this.#values.set(name, value);
    if (value.trim() === "") {
      this.#refuse(`${name} is empty`, "Give it a value, or leave the option out.");
    } else if (isUrl(value) && !urlFlags.has(name)) {
      this.#refuse(`${name} takes no URL`, `URLs go with ${[...urlFlags].join(" and ")}; see --help.`);
    } else if (earlier !== undefined && earlier !== value && !repeatableFlags.has(name)) {
      this.#refuse(`${name} is given twice, with different values`, "Give it once.");
    }
  }

  /** The first problem is the one that is told. */
  #refuse(problem: string, hint: string): void {
    this.problem ??= new SnapshotError("usage", problem, { hint });
  }

  #keep(...args: string[]): void {
    (this.command === undefined ? this.before : this.after).push(...args);
  }

  #isOption(arg: string): boolean {
    return this.#find(arg.split("=", 1)[0] ?? "") !== undefined;
  }

  /** An option of the command or, as long as that has not come, of any. */
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
  return endings.has(name) || name === "-h" || name === "--help";
}

function shown(arg: string): string {
  return quoted(withoutUrls(arg));
}
