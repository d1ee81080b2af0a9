/** Checks the options of a function of the library: what a program gives by mistake is refused by its name. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { isHex64 } from "../protocol/address.ts";

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

export function oneOf(...choices: readonly string[]): OptionCheck {
  return {
    accepts: (value) => typeof value === "string" && choices.includes(value),
    expected: `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`,
  };
}

export function wholeNumber(min: number, max: number): OptionCheck {
  const accepts = (value: unknown) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
  return { accepts, expected: `a whole number from ${min} to ${max}` };
}

/** More than a timer takes would be no time at all. */
const timerMaxMs = 2 ** 31 - 1;

export const milliseconds: OptionCheck = {
  accepts: (value) => typeof value === "number" && value > 0 && value <= timerMaxMs,
  expected: `a number of milliseconds, greater than 0 and at most ${timerMaxMs}`,
};

export const flag: OptionCheck = {
  accepts: (value) => typeof value === "boolean",
  expected: "true or false",
};

export const path: OptionCheck = {
  accepts: (value) => typeof value === "string" && value.trim() !== "" && !value.includes("\0"),
  expected: "the path of a file or directory",
};

export const hexKey: OptionCheck = {
  accepts: (value) => typeof value === "string" && isHex64(value),
  expected: "64 lower-case hex digits",
};

export const httpUrl: OptionCheck = {
  accepts: (value) =>
    typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
  expected: "a URL such as http://127.0.0.1:4000",
};

export const abortSignal: OptionCheck = {
  accepts: (value) => value instanceof AbortSignal,
  expected: "an AbortSignal",
};

export const reporter: OptionCheck = {
  accepts: (value) => hasMethod(value, "report"),
  expected: "an object with the method report(event)",
};

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, name) === "function";
}
