/** Kinds of options: what a program may give, and how a text of the command line is read. */

import { isHex64 } from "../protocol/address.ts";
import type { OptionCheck } from "./option-check.ts";
import * as text from "./option-texts.ts";

export interface Kind extends OptionCheck {
  /** Reads a text. A kind without it takes the text as it is. @throws OptionValueError */
  readonly parse?: (text: string) => unknown;
  /** The texts that it takes, where they are few. */
  readonly choices?: readonly string[];
  /** Whether a value may be a URL, which may hold a password: it is not repeated in a message. */
  readonly takesUrl?: boolean;
  /** Whether it may be given several times, with another value each time. */
  readonly isRepeatable?: boolean;
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]) {
  return {
    accepts: (value: unknown) => choices.some((choice) => choice === value),
    expected: `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`,
    choices,
  };
}

export function wholeNumber(min: number, max: number): Kind {
  return {
    accepts: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    expected: `a whole number from ${min} to ${max}`,
    parse: text.parseCount(min, max),
  };
}

/** More than a timer takes would be no time at all. */
const timerMaxMs = 2 ** 31 - 1;

/** How long something may take. */
export const duration: Kind = {
  accepts: (value) => typeof value === "number" && value > 0 && value <= timerMaxMs,
  expected: `a number of milliseconds, greater than 0 and at most ${timerMaxMs}`,
  parse: text.parseDuration,
};

/** How old something may be. */
export const age: Kind = {
  accepts: (value) => typeof value === "number" && value > 0,
  expected: "a number of milliseconds greater than 0",
  parse: text.parseAge,
};

export const flag: Kind = {
  accepts: (value) => typeof value === "boolean",
  expected: "true or false",
};

export const anyText: Kind = {
  accepts: (value) => typeof value === "string",
  expected: "a text",
};

export const texts: Kind = {
  accepts: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  expected: "a list of texts",
  isRepeatable: true,
};

export const path: Kind = {
  accepts: (value) => typeof value === "string" && value.trim() !== "" && !value.includes("\0"),
  expected: "the path of a file or directory",
};

/** The path of a file, or a URL. */
export const source: Kind = {
  ...path,
  expected: "the path of a file, or a URL",
  parse: text.parseSource,
  takesUrl: true,
};

export const hexKey: Kind = {
  accepts: (value) => typeof value === "string" && isHex64(value),
  expected: "64 lower-case hex digits",
  parse: text.parseKey,
};

export const httpUrl: Kind = {
  accepts: (value) =>
    typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
  expected: "a URL such as http://127.0.0.1:4000",
  parse: text.parseUrl,
  takesUrl: true,
};

/** The time of a snapshot, as a text or parsed. */
export const snapshotTime: Kind = {
  accepts: (value) => typeof value === "string" || typeof value === "number" || isParsedTime(value),
  expected: 'milliseconds, seconds, ISO 8601 with a time zone, "cycle:<n>" or "latest"',
};

export const parsedSnapshotTime: Kind = { accepts: isParsedTime, expected: "a snapshot's time, parsed" };

function isParsedTime(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  if (value.kind === "latest") return true;
  const number = value.kind === "cycle" ? Reflect.get(value, "counter") : Reflect.get(value, "timestamp");
  return (value.kind === "cycle" || value.kind === "moment") && Number.isSafeInteger(number) && number >= 0;
}

export const abortSignal: Kind = {
  accepts: (value) => value instanceof AbortSignal,
  expected: "an AbortSignal",
};

export const reporter: Kind = {
  accepts: (value) => hasMethod(value, "report"),
  expected: "an object with the method report(event)",
};

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, name) === "function";
}
