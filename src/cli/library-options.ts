/**
 * The options of the library, from what a command has parsed. Both come from one table: a parsed option already has the
 * name that the library uses (add-options.ts), so an option needs no mapping.
 */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { type CommandName, type CommandOption, commandOptions } from "../options/command-options.ts";
import { OptionValueError } from "../options/option-texts.ts";
import type { Io } from "./io.ts";

/** Options that only the command line takes: their rows have no name. */
export interface CommandLineFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly cluster?: string;
  readonly seed?: number;
}

/**
 * Returns the options that the library takes. An environment variable replaces an option that is not given.
 *
 * @throws SnapshotError `usage` for an invalid environment variable
 */
export function libraryOptionsOf<Flags extends object>(
  command: CommandName,
  flags: Flags,
  env: Io["env"],
): Omit<Flags, keyof CommandLineFlags> {
  const given = new Map<string, unknown>(Object.entries(flags));
  const rows: readonly CommandOption[] = commandOptions[command];
  const options = rows.flatMap((row) => {
    if (row.name === undefined) return [];
    const value = given.get(row.name) ?? fromEnvironment(row, env);
    return value === undefined ? [] : [[row.name, value] as const];
  });
  // The names of the rows are those of the flags: the table checks them at the door of the library.
  return Object.fromEntries(options) as Omit<Flags, keyof CommandLineFlags>;
}

/** Returns the value of an environment variable. An empty variable counts as unset. */
function fromEnvironment({ env: name, kind }: CommandOption, env: Io["env"]): unknown {
  const text = name === undefined ? undefined : env[name];
  if (text === undefined || text === "") return undefined;
  try {
    return kind.parse === undefined ? text : kind.parse(text);
  } catch (error) {
    if (!(error instanceof OptionValueError)) throw error;
    throw new SnapshotError("usage", `${name}: ${error.message}`, {
      hint: "Correct the environment variable, or unset it.",
    });
  }
}
