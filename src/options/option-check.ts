/** Checks the options of a function of the library: what a program gives by mistake is refused by its name. */

import { SnapshotError } from "../errors/snapshot-error.ts";

/** What one option may be. An option that is `undefined` is one that is not given. */
export interface OptionCheck {
  readonly accepts: (value: unknown) => boolean;
  /** Behind "expected". */
  readonly expected: string;
  readonly isRequired?: boolean;
}

/** Every option of a function: the compiler finds one that is missing here. */
export type OptionChecks<Options> = { readonly [Name in keyof Options]-?: OptionCheck };

/** Values are not repeated in messages: they may hold passwords. @throws SnapshotError `usage` */
export function requireOptions<Options>(
  functionName: string,
  options: unknown,
  checks: OptionChecks<Options>,
): asserts options is Options {
  if (typeof options !== "object" || options === null) {
    throw refused(functionName, "expected an object of options", checks);
  }
  const known = new Map<string, OptionCheck>(Object.entries(checks));
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw refused(functionName, `there is no option ${JSON.stringify(name)}`, checks);
  }
  const given = new Map<string, unknown>(Object.entries(options));
  for (const [name, { accepts, expected, isRequired }] of known) {
    const value = given.get(name);
    if (value === undefined && isRequired === true) {
      throw refused(functionName, `the option ${name} is missing: expected ${expected}`, checks);
    }
    if (value !== undefined && !accepts(value)) {
      throw refused(functionName, `the option ${name} is not usable: expected ${expected}`, checks);
    }
  }
}

function refused(functionName: string, problem: string, checks: object): SnapshotError {
  return new SnapshotError("usage", `${functionName}(): ${problem}`, {
    hint: `The options are ${Object.keys(checks).join(", ")}.`,
  });
}

export function required(check: OptionCheck): OptionCheck {
  return { ...check, isRequired: true };
}
