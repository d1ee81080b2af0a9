/** The kinds of options: the values that the library accepts, and the parser of a text of the command line. */

import { isHex64 } from "../protocol/address.ts";
import type { OptionCheck } from "./option-check.ts";
import * as text from "./option-texts.ts";

export interface Kind extends OptionCheck {
  /**
   * Parses a text; of a repeatable option, one of its texts. A kind without a parser takes the text unchanged.
   *
   * @throws OptionValueError
   */
  readonly parse?: (text: string) => unknown;
  /** The texts that the option accepts, if they are a short list. */
  readonly choices?: readonly string[];
  /** Whether a value may be a URL. A URL may contain a password, so messages do not repeat it. */
  readonly takesUrl?: boolean;
  /** Whether the option may be repeated with different values. */
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

/** A timer of Node with a longer delay fires at once. */
const timerMaxMs = 2 ** 31 - 1;

/** A period of time. */
export const duration: Kind = {
  accepts: (value) => typeof value === "number" && value > 0 && value <= timerMaxMs,
  expected: `a number of milliseconds, greater than 0 and at most ${timerMaxMs}`,
  parse: text.parseDuration,
};

/** An age. */
export const age: Kind = {
  accepts: (value) => typeof value === "number" && value > 0,
  expected: "a number of milliseconds greater than 0",
  parse: text.parseAge,
};

/** A moment. */
export const milliseconds: Kind = {
  accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  expected: "milliseconds since 1970",
  parse: text.parseMilliseconds,
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

export const httpUrls: Kind = {
  accepts: (value) => Array.isArray(value) && value.every((item) => httpUrl.accepts(item)),
  expected: "a list of URLs such as http://127.0.0.1:4000",
  parse: text.parseUrl,
  takesUrl: true,
  isRepeatable: true,
};

/** An address to listen on. Port 0 is any free port. */
export const listen: Kind = {
  accepts: isListen,
  expected: "{ host, port } with a port from 0 to 65535",
  parse: text.parseListen,
};

function isListen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const [host, port] = [Reflect.get(value, "host"), Reflect.get(value, "port")];
  return typeof host === "string" && host !== "" && Number.isInteger(port) && port >= 0 && port <= 65_535;
}

/** The time of a snapshot: a text, a number, or a parsed time. */
export const snapshotTime: Kind = {
  accepts: (value) => typeof value === "string" || typeof value === "number" || isParsedTime(value),
  expected: 'milliseconds, seconds, ISO 8601 with a time zone, "cycle:<n>" or "latest"',
};

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
