/** What comes in from outside becomes a value of the model here, or an error that says where it is wrong. */

import { quotedCharactersMax } from "../limits/text.ts";
import { printable } from "../text/printable.ts";
import { crossedBound, defaultJsonBounds, type JsonBounds } from "./json-bounds.ts";
import type * as z from "./schema.ts";

/** Outside text that is not of the form that PROTOCOL.md gives it. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code = "wire";
  /** Which file, URL or node it came from. */
  readonly source: string;

  constructor(source: string, problem: string) {
    super(`${source}: ${problem}`);
    this.source = source;
  }
}

/** @throws WireError naming the source, where it is no JSON or would make more than `bounds` permit */
export function parseJson(text: string, source: string, bounds: JsonBounds = defaultJsonBounds): unknown {
  const crossed = crossedBound(text, bounds);
  if (crossed !== undefined) throw new WireError(source, crossed);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WireError(
      source,
      `not JSON: ${quoted(reason)}; it begins ${quoted(JSON.stringify(text.slice(0, 40)))}`,
    );
  }
}

/** @throws WireError naming the source, the field, what was expected and what came */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown, source: string): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? "" : `${fieldName(issue.path)}: `;
  const came = issue !== undefined && "input" in issue ? `, got ${describe(issue.input)}` : "";
  throw new WireError(source, `${field}${issue?.message ?? "invalid"}${came}`);
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

/** A value for a message: short, never more than a line, and never looked into: it may be nested deeply. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null
    ? "an object"
    : quoted(JSON.stringify(value) ?? typeof value);
}

/** Outside text for a message: shortened, and without control characters that a terminal would obey. */
export function quoted(text: string): string {
  const short = text.length > quotedCharactersMax ? `${text.slice(0, quotedCharactersMax)}…` : text;
  return printable(short);
}
