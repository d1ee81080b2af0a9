/** Parses the texts of options. An error is shown with the option's name. */

import { keepCyclesMax } from "../limits/collect.ts";
import { nodesMax } from "../limits/network.ts";
import { isHex64 } from "../protocol/address.ts";

/** The text of an option is invalid. */
export class OptionValueError extends Error {
  override readonly name = "OptionValueError";
  readonly code = "option-value";
}

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

export const durationHelp = "such as 500ms, 30s, 2m or 1h";

/** Parses a period, and returns milliseconds. */
export function parseDuration(text: string): number {
  return parseSpan(text, "a duration", durationHelp, durationMaxMs, "a day");
}

/** Parses a period of whole seconds, and returns seconds. */
export function parseSeconds(text: string): number {
  const spanMs = parseDuration(text);
  if (spanMs % 1000 === 0) return spanMs / 1000;
  throw new OptionValueError("expected whole seconds, such as 2s or 1m");
}

/** Parses an age, and returns milliseconds. */
export function parseAge(text: string): number {
  return parseSpan(text, "an age", "such as 90m, 2h, 7d or 52w", ageMaxMs, "a hundred years");
}

/** Refuses a bare number: it could mean seconds or milliseconds. */
function parseSpan(text: string, what: string, examples: string, maxMs: number, maxShown: string): number {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)?$/.exec(text) ?? [];
  const units = Object.keys(unitsMs).join(", ");
  if (amount === undefined) throw new OptionValueError(`expected ${what} with its unit, ${examples}`);
  if (unit === undefined) {
    throw new OptionValueError(`${amount} has no unit: append one of ${units}, ${examples}`);
  }
  const spanMs = Number(amount) * (unitsMs[unit] ?? Number.NaN);
  if (spanMs > maxMs) throw new OptionValueError(`expected ${what} of at most ${maxShown}`);
  if (spanMs > 0) return Math.ceil(spanMs);
  throw new OptionValueError(`expected ${what} greater than zero, ${examples}`);
}

export function parseCount(min: number, max: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (count >= min && count <= max) return count;
    throw new OptionValueError(`expected a whole number from ${min} to ${max}`);
  };
}

export function parseMilliseconds(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new OptionValueError("expected milliseconds since 1970, such as 1700000640000");
}

export function parseKey(text: string): string {
  const key = text.toLowerCase();
  if (isHex64(key)) return key;
  throw new OptionValueError("expected 64 hex digits");
}

export function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isUsable = (url?.protocol === "http:" || url?.protocol === "https:") && url.hash === "";
  if (url !== undefined && isUsable) return url.href.replace(/\/+$/, "");
  throw new OptionValueError("expected a URL such as http://127.0.0.1:4000");
}

/** Parses a text that is the path of a file, or a URL. */
export function parseSource(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? parseUrl(text) : text;
}

/** A part, or a share whose seed is another option. */
export type SubsetText = { readonly oneIn: number; readonly first: number } | { readonly percent: number };

/** Parses `n/t`, the n-th of t parts, or `x%`, a share. */
export function parseSubset(text: string): SubsetText {
  const [, part, parts] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  if (parts !== undefined) {
    if (Number(part) >= 1 && Number(part) <= Number(parts))
      return { oneIn: Number(parts), first: Number(part) - 1 };
    throw new OptionValueError(`expected n/t with n from 1 to t: 1/${parts} is the first of ${parts} parts`);
  }
  const percent = Number(/^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) return { percent };
  throw new OptionValueError("expected a part such as 1/10, or a share such as 10%");
}

export function parseSeed(text: string): number {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (seed < 2 ** 32) return seed;
  throw new OptionValueError(`expected a whole number from 0 to ${2 ** 32 - 1}`);
}

export interface Listen {
  readonly host: string;
  readonly port: number;
}

export function parseListen(text: string): Listen {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] !== undefined && port <= 65_535) return { host: match[1].replace(/^\[|\]$/g, ""), port };
  throw new OptionValueError("expected host:port, such as 127.0.0.1:4100 or [::1]:4100");
}

/** What a hash database keeps: a number of cycles, or the cycles of a period. */
export type Keep = { readonly cycles: number } | { readonly ageMs: number };

/** Parses a number of cycles, or an age with its unit. */
export function parseKeep(text: string): Keep {
  if (/^\d+$/.test(text)) return { cycles: parseCount(1, keepCyclesMax)(text) };
  try {
    return { ageMs: parseAge(text) };
  } catch {
    throw new OptionValueError("expected a number of cycles, or an age such as 90m, 12h, 7d or 2w");
  }
}

/** An archiver: its address and its public key. */
export interface ArchiverText {
  readonly ip: string;
  readonly port: number;
  /** 64 hex digits. */
  readonly publicKey: string;
}

/** Parses a list of archivers, as the archiver's own `ARCHIVER_INFO` has it. */
export function parseArchivers(text: string): ArchiverText[] {
  return text.split(",").map((one) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5}):([0-9a-fA-F]{64})$/.exec(one.trim());
    const [, host = "", port, key = ""] = match ?? [];
    if (Number(port) >= 1 && Number(port) <= 65_535) {
      return { ip: host.replace(/^\[|\]$/g, ""), port: Number(port), publicKey: key.toLowerCase() };
    }
    throw new OptionValueError("expected ip:port:publicKey, and commas between several archivers");
  });
}

/** Parses a list of partitions and ranges of them, such as `-1,0,7-9`. */
export function parsePartitions(text: string): number[] {
  return text.split(",").flatMap((one) => {
    const [, first, last = first] = /^(-1|\d{1,6})(?:-(\d{1,6}))?$/.exec(one.trim()) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (from <= to && to < nodesMax) return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    throw new OptionValueError("expected partitions such as -1,0,7-9, where -1 is that of global accounts");
  });
}
