/** Values of options: from text to what they mean, or an error that commander shows with the option's name. */

import { InvalidArgumentError } from "commander";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { isHex64 } from "../protocol/address.ts";

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
    throw new SnapshotError("usage", `${option}: expected a URL such as http://127.0.0.1:4000`);
  };
}

/** The path of a file, or a URL. */
export function parseSource(option: string): (text: string) => string {
  return (text) => (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? parseUrl(option)(text) : text);
}

/** A share without its seed, which is another option. */
export type SubsetText = { readonly oneIn: number; readonly first: number } | { readonly percent: number };

/** `n/t`, the n-th of t parts, or `x%`, as in other tools that check a part of their data. */
export function parseSubset(text: string): SubsetText {
  const [, part, parts] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  if (parts !== undefined) {
    if (Number(part) >= 1 && Number(part) <= Number(parts))
      return { oneIn: Number(parts), first: Number(part) - 1 };
    throw new InvalidArgumentError(
      `expected n/t with n from 1 to t: 1/${parts} is the first of ${parts} parts`,
    );
  }
  const percent = Number(/^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) return { percent };
  throw new InvalidArgumentError("expected a part such as 1/10, or a share such as 10%");
}

export function parseSeed(text: string): number {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (seed < 2 ** 32) return seed;
  throw new InvalidArgumentError(`expected a whole number from 0 to ${2 ** 32 - 1}`);
}
