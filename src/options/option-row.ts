/** One option, as the command line, the library and the documentation describe it. */

import type { Kind } from "./kinds.ts";
import { type OptionCheck, type OptionChecks, required } from "./option-check.ts";

export interface OptionRow {
  /** The flag with the name of its value; `undefined` for an option that only the library takes. */
  readonly flag?: string;
  readonly kind: Kind;
  /** The value if the option is not given. */
  readonly default?: string | number | object;
  /** The text that shows the default, or that describes what applies if no single value is the default. */
  readonly defaultText?: string;
  /** An environment variable that replaces an option that is not given. An empty one counts as unset. */
  readonly env?: string;
  readonly isRequired?: boolean;
  /** The names of the options that exclude this one. */
  readonly conflicts?: readonly string[];
  /** Begins in lower case and ends without a full stop. */
  readonly help: string;
}

/** By the name of the option in the library. */
export type OptionTable = Readonly<Record<string, OptionRow>>;

/** Returns the check of each option of a table. */
export function checksOf<Table extends OptionTable>(table: Table): OptionChecks<Table> {
  const checks: Partial<Record<keyof Table, OptionCheck>> = {};
  for (const name in table) {
    const { kind, isRequired } = table[name] ?? unknownOption(name);
    checks[name] = isRequired === true ? required(kind) : kind;
  }
  return checks as OptionChecks<Table>;
}

function unknownOption(name: string): never {
  throw new Error(`the table has no option ${name}`);
}

/** Returns `--archiver` for `--archiver <url>`. */
export function longFlag(flag: string): string {
  return flag.split(" ", 1)[0] ?? flag;
}
