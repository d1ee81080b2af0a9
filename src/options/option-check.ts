/** Checks the options of a library function. An error names the wrong option. */

import { SnapshotError } from "../errors/snapshot-error.ts";

/** The values that one option accepts. An option that is `undefined` counts as not given. */
export interface OptionCheck {
  readonly accepts: (value: unknown) => boolean;
  /** Completes "expected …" in a message. */
  readonly expected: string;
  readonly isRequired?: boolean;
}

/** The check of every option of a function; the compiler reports an option without one. */
export type OptionChecks<Options> = { readonly [Name in keyof Options]-?: OptionCheck };

/**
 * Requires that each option is known and accepted. Messages do not repeat values, which may contain passwords.
 *
 * @throws SnapshotError `usage`
 */
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
    if (!known.has(name)) throw refused(functionName, `unknown option ${JSON.stringify(name)}`, checks);
  }
  const given = new Map<string, unknown>(Object.entries(options));
  for (const [name, { accepts, expected, isRequired }] of known) {
    const value = given.get(name);
    if (value === undefined && isRequired === true) {
      throw refused(functionName, `missing option ${name}: expected ${expected}`, checks);
    }
    if (value !== undefined && !accepts(value)) {
      throw refused(functionName, `invalid option ${name}: expected ${expected}`, checks);
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
