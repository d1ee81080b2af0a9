/** Values of options: from text to what they mean, or an error that commander shows with the option's name. */

import { InvalidArgumentError } from "commander";
import { isHex64 } from "../model/address.ts";
import { Failure } from "../model/failure.ts";

/** Bare numbers from this on are taken for milliseconds: nobody waits a quarter of an hour for one byte. */
const bareMillisecondsFrom = 1_000;
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

export const durationHelp = "like 500ms, 30s, 2m; a bare number is seconds, from 1000 on milliseconds";

/** Milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)?$/.exec(text);
  const amount = Number(match?.[1]);
  const unit = match?.[2] ?? (amount >= bareMillisecondsFrom ? "ms" : "s");
  const duration = amount * (unitsMs[unit] ?? Number.NaN);
  if (duration > 0 && duration <= durationMaxMs) return Math.ceil(duration);
  throw new InvalidArgumentError(`expected a duration ${durationHelp}`);
}

/** How old something may be, milliseconds: of a length for which nobody waits, so it needs a unit. */
export function parseAge(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/.exec(text);
  const age = Number(match?.[1]) * (unitsMs[match?.[2] ?? ""] ?? Number.NaN);
  if (age > 0 && age <= ageMaxMs) return Math.ceil(age);
  throw new InvalidArgumentError("expected an age with its unit, like 90m, 2h, 7d or 52w");
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
    throw new Failure("usage", `${option}: expected a URL such as http://127.0.0.1:4000`, {
      hint: "See snapshot-assemble --help.",
    });
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
