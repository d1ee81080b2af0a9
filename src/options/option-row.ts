/** One option: what the command line, the library and the documentation know of it. */

import type { Kind } from "./kinds.ts";
import { type OptionCheck, type OptionChecks, required } from "./option-check.ts";

export interface OptionRow {
  /** On the command line, with the name of its value. The library alone has options without. */
  readonly flag?: string;
  readonly kind: Kind;
  /** The value where none is given. */
  readonly default?: string | number | object;
  /** How the default is shown; what applies where there is no single one. */
  readonly defaultText?: string;
  /** An environment variable with the value, where the option is not given. An empty one counts as unset. */
  readonly env?: string;
  readonly isRequired?: boolean;
  /** The flags of the options that it cannot be given with. */
  readonly conflicts?: readonly string[];
  /** Begins in lower case, without a full stop. */
  readonly help: string;
}

/** By the name of the option in the library. */
export type OptionTable = Readonly<Record<string, OptionRow>>;

/** The check of each option that the library takes. */
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

/** `--archiver` of `--archiver <url>`. */
export function longFlag(flag: string): string {
  return flag.split(" ", 1)[0] ?? flag;
}
