/** Values of options: from text to what they mean, or an error that commander shows with the option's name. */

import { InvalidArgumentError } from "commander";
import { isHex64 } from "../model/address.ts";
import { Failure } from "../model/failure.ts";

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const durationMaxMs = 24 * 60 * 60 * 1_000;
const ageMaxMs = 100 * 366 * 86_400_000;

export const durationHelp = "like 500ms, 30s, 2m or 1h";

/** How long something may take, milliseconds. */
export function parseDuration(text: string): number {
  return parseSpan(text, "a duration", durationHelp, durationMaxMs, "a day");
}

/** How old something may be, milliseconds. */
export function parseAge(text: string): number {
  return parseSpan(text, "an age", "like 90m, 2h, 7d or 52w", ageMaxMs, "a hundred years");
}

/** A bare number is refused: whether seconds or milliseconds are meant, it does not say. */
function parseSpan(text: string, what: string, examples: string, maxMs: number, maxShown: string): number {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)?$/.exec(text) ?? [];
  const units = Object.keys(unitsMs).join(", ");
  if (amount === undefined) throw new InvalidArgumentError(`expected ${what} with its unit, ${examples}`);
  if (unit === undefined) {
    throw new InvalidArgumentError(`${amount} has no unit: write one of ${units} behind it, ${examples}`);
  }
  const spanMs = Number(amount) * (unitsMs[unit] ?? Number.NaN);
  if (spanMs > maxMs) throw new InvalidArgumentError(`expected ${what} of at most ${maxShown}`);
  if (spanMs > 0) return Math.ceil(spanMs);
  throw new InvalidArgumentError(`expected ${what} greater than zero, ${examples}`);
}

export function parseCount(min: number, max: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (count >= min && count <= max) return count;
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
  };
}

export function parseKey(text: string): string {
  const key = text.toLowerCase();
  if (isHex64(key)) return key;
  throw new InvalidArgumentError("expected 64 hex digits");
}

/** A value that cannot be used is not repeated in the message: it may hold a password. */
export function parseUrl(option: string): (text: string) => string {
  return (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isUsable = (url?.protocol === "http:" || url?.protocol === "https:") && url.hash === "";
    if (url !== undefined && isUsable) return url.href.replace(/\/+$/, "");
    throw new Failure("usage", `${option}: expected a URL such as http://127.0.0.1:4000`);
  };
}

/** The path of a file, or a URL. */
export function parseSource(option: string): (text: string) => string {
  return (text) => (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? parseUrl(option)(text) : text);
}

export interface Subset {
  readonly oneIn: number;
}

export function parseSubset(text: string): Subset {
  const oneIn = Number(/^1\/(\d{1,5})$/.exec(text)?.[1]);
  if (oneIn >= 1) return { oneIn };
  throw new InvalidArgumentError("expected a share such as 1/10");
}
