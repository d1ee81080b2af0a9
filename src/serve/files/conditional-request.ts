/** Preconditions and ranges (RFC 9110, sections 13 and 14) of a file whose strong ETag is the hash of its bytes. */

import type { IncomingHttpHeaders } from "node:http";

export type FileAnswer =
  | { readonly kind: "whole" }
  /** Inclusive offsets. */
  | { readonly kind: "part"; readonly start: number; readonly end: number }
  | { readonly kind: "not-modified" }
  | { readonly kind: "precondition-failed" }
  | { readonly kind: "unsatisfiable" };

export interface FileState {
  /** With its quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Decides on the answer. Preconditions on dates are ignored: files have none. So are malformed ranges and lists of ranges,
 * for which the whole file is a valid answer.
 */
export function answerTo(headers: IncomingHttpHeaders, { etag, size }: FileState): FileAnswer {
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch, "if-range": ifRange } = headers;
  // A weak ETag, or a date, is never that of these bytes.
  const isOtherFile = ifRange !== undefined && String(ifRange).trim() !== etag;
  if (ifMatch !== undefined && !names(ifMatch, etag)) return { kind: "precondition-failed" };
  if (ifNoneMatch !== undefined && names(weak(ifNoneMatch), etag)) return { kind: "not-modified" };
  const range = rangeOf(headers.range);
  if (range === undefined || isOtherFile) return { kind: "whole" };
  return partOf(range, size);
}

/** Returns whether a list of ETags names one. */
function names(list: string, etag: string): boolean {
  return list.split(",").some((item) => item.trim() === "*" || item.trim() === etag);
}

/** Returns a list of ETags for a weak comparison. */
function weak(list: string): string {
  return list.replaceAll('W/"', '"');
}

/** The bounds of a range; an absent one is `undefined`. */
interface Range {
  readonly first: number | undefined;
  readonly last: number | undefined;
}

function rangeOf(header: string | undefined): Range | undefined {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const range = { first: numberOf(first), last: numberOf(last) };
  const isReversed = range.first !== undefined && range.last !== undefined && range.last < range.first;
  return isReversed ? undefined : range;
}

function numberOf(digits: string): number | undefined {
  return digits === "" ? undefined : Number(digits);
}

function partOf({ first, last }: Range, size: number): FileAnswer {
  // Without a first byte, the number is that of the last bytes.
  const start = first ?? Math.max(0, size - (last ?? 0));
  const end = first === undefined ? size - 1 : Math.min(last ?? size - 1, size - 1);
  return start <= end ? { kind: "part", start, end } : { kind: "unsatisfiable" };
}
