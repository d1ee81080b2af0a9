/** Parses outside text: it becomes a typed value, or an error that names the source, the field and the actual value. */

import { quotedCharactersMax } from "../limits/text.ts";
import { printable } from "../text/printable.ts";
import { defaultJsonBounds, exceededBound, type JsonBounds } from "./json-bounds.ts";
import type * as z from "./schema.ts";

/** Outside text that does not have the specified form. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code = "wire";
  /** The file, URL or node that the text came from. */
  readonly source: string;

  constructor(source: string, problem: string) {
    super(`${source}: ${problem}`);
    this.source = source;
  }
}

/**
 * Parses JSON within bounds.
 *
 * @throws WireError if the text is not JSON, or its value exceeds `bounds`
 */
export function parseJson(text: string, source: string, bounds: JsonBounds = defaultJsonBounds): unknown {
  const exceeded = exceededBound(text, bounds);
  if (exceeded !== undefined) throw new WireError(source, exceeded);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WireError(
      source,
      `not JSON: ${quoted(reason)}; it begins with ${quoted(JSON.stringify(text.slice(0, 40)))}`,
    );
  }
}

/**
 * Checks a value against a schema.
 *
 * @throws WireError naming the source, the field, the expected and the actual value
 */
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

/** Describes a value in a message, in less than a line. Objects and lists are not traversed: they may be deep. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null
    ? "an object"
    : quoted(JSON.stringify(value) ?? typeof value);
}

/** Returns outside text for a message: shortened, and without the control characters that a terminal interprets. */
export function quoted(text: string): string {
  const short = text.length > quotedCharactersMax ? `${text.slice(0, quotedCharactersMax)}…` : text;
  return printable(short);
}
