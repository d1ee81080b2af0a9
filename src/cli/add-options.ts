/** Adds the options of a command from their table. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { type CommandName, type CommandOption, commandOptions } from "../options/command-options.ts";
import { longFlag } from "../options/option-row.ts";
import { OptionValueError } from "../options/option-texts.ts";

export function addOptions(command: Command, name: CommandName): Command {
  for (const row of commandOptions[name]) {
    const option = makeOption(row);
    // The main job reports a missing timestamp itself, with examples.
    if (row.isRequired === true && row.default === undefined && name !== "") option.makeOptionMandatory();
    command.addOption(option);
  }
  return command;
}

/** An option that is parsed under its name in the library, not under one made from its flag. */
class NamedOption extends Option {
  readonly #name: string | undefined;

  constructor(row: CommandOption) {
    super(row.flag, helpOf(row));
    this.#name = row.name;
  }

  override attributeName(): string {
    return this.#name ?? super.attributeName();
  }
}

function makeOption(row: CommandOption): Option {
  const { kind, conflicts } = row;
  const option = new NamedOption(row);
  if (kind.choices !== undefined) option.choices(kind.choices);
  else if (kind.isRepeatable === true) option.argParser(appenderOf(row));
  else if (kind.parse !== undefined) option.argParser(parserOf(row, kind.parse));
  if (row.default !== undefined) option.default(row.default, row.defaultText);
  return conflicts === undefined ? option : option.conflicts([...conflicts]);
}

function helpOf({ help, env, default: value, defaultText, isRequired }: CommandOption): string {
  const variable = env === undefined ? "" : ` (env: ${env})`;
  const unset = value === undefined && defaultText !== undefined ? ` (default: ${defaultText})` : "";
  const required = isRequired === true && value === undefined ? " (required)" : "";
  return `${help}${variable}${unset}${required}`;
}

/** The first text replaces the default. */
function appenderOf(row: CommandOption) {
  const parse = parserOf(row, row.kind.parse ?? ((text) => text));
  return (text: string, before: readonly unknown[] | undefined): readonly unknown[] =>
    before === undefined || before === row.default ? [parse(text)] : [...before, parse(text)];
}

/**
 * Returns the parser of an option. Its message does not repeat a value that may be a URL, because a URL may contain a
 * password.
 */
function parserOf({ flag, kind }: CommandOption, parse: (text: string) => unknown) {
  return (text: string): unknown => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof OptionValueError)) throw error;
      if (kind.takesUrl === true) throw new SnapshotError("usage", `${longFlag(flag)}: ${error.message}`);
      throw new InvalidArgumentError(error.message);
    }
  };
}
