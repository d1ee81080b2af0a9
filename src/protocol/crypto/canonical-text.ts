/**
 * Canonical text (PROTOCOL.md, Hashing and signing): the JSON text of a value that every node hashes.
 *
 * As in the network's own code, there are two steps: typed values are converted (typed-values.ts), and the result is
 * written with sorted keys.
 */

import { bytesOfLongBuffer, type Revived, type RevivedObject, revive } from "./typed-values.ts";

export { CanonicalTextError } from "./typed-values.ts";

/**
 * Returns the canonical text of a received JSON text.
 *
 * @throws SyntaxError if the text is not JSON; {@link CanonicalTextError} if a typed value is malformed or a bound is
 *   exceeded
 */
export function canonicalText(wireJson: string): string {
  return canonicalTextOf(JSON.parse(wireJson));
}

/**
 * Returns the canonical text of a value that `JSON.parse` returned.
 *
 * @throws {@link CanonicalTextError} as {@link canonicalText}
 */
export function canonicalTextOf(value: unknown): string {
  return textOf(revive(value));
}

function textOf(value: Revived): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "boolean":
      return value ? "true" : "false";
    case "bigint":
      return `{"dataType":"bi","value":"${value.toString(16)}"}`;
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return textOfList(value);
      if (value instanceof Uint8Array) return textOfBytes(value);
      return textOfObject(value as RevivedObject);
  }
}

function textOfList(list: readonly Revived[]): string {
  let text = "[";
  for (let index = 0; index < list.length; index++) {
    if (index > 0) text += ",";
    text += textOf(list[index] as Revived);
  }
  return `${text}]`;
}

function textOfObject(object: RevivedObject): string {
  // In order of UTF-16 code units, as `sort()` compares.
  const keys = Object.keys(object).sort();
  if (keys.length === 2 && keys[1] === "type" && object["type"] === "Buffer") {
    const bytes = bytesOfLongBuffer(Object.hasOwn(object, "data") ? object["data"] : undefined);
    if (bytes !== undefined) return textOfBytes(bytes);
  }
  let text = "";
  for (const key of keys) {
    text += `${text === "" ? "{" : ","}${JSON.stringify(key)}:${textOf(object[key] as Revived)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

/** Returns the canonical text of bytes. Their keys, and only theirs, are not sorted. */
function textOfBytes(bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return `{"value":"${base64}","dataType":"${Buffer.isBuffer(bytes) ? "bb" : "u8ab"}"}`;
}
