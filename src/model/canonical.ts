/**
 * Canonical text (PROTOCOL.md, Hashing and signing): the one JSON text of a value that all nodes hash.
 *
 * The network's own code revives typed values while it parses (children before parents), and writes
 * them back while it stringifies. Here both happen in one walk over what plain `JSON.parse` returns,
 * which comes to the same text and makes no objects.
 */

import { depthMax } from "./limits.ts";

/** A value that has no canonical text: the network's own code would refuse it as well. */
export class CanonicalTextError extends Error {
  override readonly name = "CanonicalTextError";
}

/** Keys that the network's parser drops wherever they stand. */
const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"]);

/**
 * The canonical text of a JSON text as received.
 *
 * @throws SyntaxError where it is no JSON, {@link CanonicalTextError} where a typed value in it is
 *   malformed or it is nested more than {@link depthMax} deep.
 */
export function canonicalText(wireJson: string): string {
  return canonicalTextOf(JSON.parse(wireJson));
}

/** The canonical text of a value as `JSON.parse` returned it; errors as {@link canonicalText}. */
export function canonicalTextOf(value: unknown): string {
  return textOf(value, "", 0);
}

function textOf(value: unknown, key: string, depth: number): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      if (depth >= depthMax) throw new CanonicalTextError(`nested more than ${depthMax} levels deep`);
      return Array.isArray(value)
        ? textOfList(value, depth)
        : textOfObject(value as Record<string, unknown>, key, depth);
    default:
      throw new TypeError(`canonical text of a ${typeof value}: not a value of JSON`);
  }
}

function textOfList(list: readonly unknown[], depth: number): string {
  let text = "[";
  for (let i = 0; i < list.length; i++) {
    if (i > 0) text += ",";
    text += textOf(list[i], "", depth + 1);
  }
  return `${text}]`;
}

function textOfObject(object: Record<string, unknown>, key: string, depth: number): string {
  // A value under the key `sig` is not revived, whatever it looks like; what is inside of it is.
  if (key !== "sig" && Object.hasOwn(object, "dataType")) {
    const typed = textOfTyped(object);
    if (typed !== undefined) return typed;
  }
  const keys = permittedKeys(object);
  if (keys.length === 2 && keys.includes("type") && object["type"] === "Buffer") {
    const bytes = bytesOfLongBuffer(Object.hasOwn(object, "data") ? object["data"] : undefined);
    if (bytes !== undefined) return bytesText(bytes, "bb");
  }
  let text = "";
  for (const name of keys) {
    text += `${text === "" ? "{" : ","}${JSON.stringify(name)}:${textOf(object[name], name, depth + 1)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

/** The keys that count, in UTF-16 code-unit order (which is what `sort()` compares by). */
function permittedKeys(object: Record<string, unknown>): string[] {
  const keys = Object.keys(object).sort();
  return keys.some((key) => forbiddenKeys.has(key)) ? keys.filter((key) => !forbiddenKeys.has(key)) : keys;
}

/** The text of a big integer, a byte array or a buffer in short form; `undefined` for any other object. */
function textOfTyped(object: Record<string, unknown>): string | undefined {
  const value = Object.hasOwn(object, "value") ? object["value"] : undefined;
  switch (object["dataType"]) {
    case "bi":
      return `{"dataType":"bi","value":"${bigIntegerOf(value).toString(16)}"}`;
    case "bb":
    case "u8ab":
      return typeof value === "string"
        ? bytesText(Buffer.from(value, "base64"), object["dataType"])
        : undefined;
    default:
      return undefined;
  }
}

function bigIntegerOf(value: unknown): bigint {
  // Children are revived before parents: a big integer in the place of digits is there in decimal.
  const digits = isTyped(value, "bi") ? bigIntegerOf(value["value"]) : value;
  try {
    return BigInt(`0x${String(digits)}`);
  } catch (cause) {
    throw new CanonicalTextError("a big integer whose value is not hexadecimal", { cause });
  }
}

function isTyped(value: unknown, dataType: string): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && (value as Record<string, unknown>)["dataType"] === dataType
  );
}

/** The text of bytes: here, and only here, keys are not sorted. */
function bytesText(bytes: Buffer, dataType: "bb" | "u8ab"): string {
  return `{"value":"${bytes.toString("base64")}","dataType":"${dataType}"}`;
}

/** The bytes of `{"type":"Buffer","data":…}`; `undefined` where `data` cannot be bytes. */
function bytesOfLongBuffer(data: unknown): Buffer | undefined {
  if (Array.isArray(data)) return Buffer.from(data.map(byteOf));
  if (typeof data === "string") return Buffer.from(data, "utf8");
  if (typeof data !== "object" || data === null) return undefined;
  const { type, data: inner } = data as Record<string, unknown>;
  return type === "Buffer" ? bytesOfLongBuffer(inner) : bytesOfShortBuffer(data);
}

function bytesOfShortBuffer(value: unknown): Buffer | undefined {
  if (!isTyped(value, "bb") && !isTyped(value, "u8ab")) return undefined;
  const { value: base64 } = value as { value?: unknown };
  return typeof base64 === "string" ? Buffer.from(base64, "base64") : undefined;
}

/** One of the numbers in a long-form buffer, after what stands there was revived. */
function byteOf(element: unknown): number {
  if (isTyped(element, "bi")) throw new CanonicalTextError("a big integer in the place of a byte");
  const bytes = bytesOfShortBuffer(element);
  return Number(bytes === undefined ? element : String([...bytes]));
}
