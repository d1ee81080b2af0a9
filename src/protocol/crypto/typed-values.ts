/**
 * Converts typed values (PROTOCOL.md, Hashing and signing) to the big integers and bytes that they represent.
 *
 * This is the first of two steps to canonical text. The parser of the network's own code does the same: it converts
 * children before parents, so a typed value may contain another one in place of its digits or bytes. limits/json.ts
 * bounds these computations. The network's code has no bounds; a value beyond them is rejected here.
 */

import {
  bigIntegerDigitsMax,
  depthMax,
  nestedBigIntegerDigitsMax,
  nestedBytesMax,
  nestedListsMax,
} from "../../limits/json.ts";

/** A value without canonical text: the network's own code rejects it too, or it exceeds a bound. */
export class CanonicalTextError extends Error {
  override readonly name = "CanonicalTextError";
  readonly code = "canonical-text";
}

/** A value after conversion: a `Buffer` was a `bb`, any other `Uint8Array` a `u8ab`. */
export type Revived =
  | null
  | boolean
  | number
  | string
  | bigint
  | Uint8Array
  | readonly Revived[]
  | RevivedObject;

export interface RevivedObject {
  readonly [key: string]: Revived;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Keys that the network's parser drops everywhere, after it has revived the values inside them. */
const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

const nestedBigIntegerMax = 16n ** BigInt(nestedBigIntegerDigitsMax);

/**
 * Revives a value that `JSON.parse` returned. The value is not changed; parts without typed values are not copied.
 *
 * @throws CanonicalTextError if a big integer is malformed, or a bound is exceeded
 */
export function revive(value: unknown): Revived {
  return reviveUnder("", value, 0);
}

/** Returns whether the network's parser converts an object to a big integer or bytes, and so drops its other fields. */
export function isTypedValue(object: object): boolean {
  const { dataType, value } = object as { dataType?: unknown; value?: unknown };
  return dataType === "bi" || ((dataType === "bb" || dataType === "u8ab") && typeof value === "string");
}

function reviveUnder(key: string, value: unknown, depth: number): Revived {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "object":
      if (value === null) return null;
      if (depth >= depthMax) throw new CanonicalTextError(`nested more than ${depthMax} levels deep`);
      return Array.isArray(value) ? reviveList(value, depth) : reviveObject(key, value as JsonObject, depth);
    default:
      throw new TypeError(`canonical text of a ${typeof value}: not a value of JSON`);
  }
}

function reviveList(list: readonly unknown[], depth: number): readonly Revived[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const revived = reviveUnder("", list[index], depth + 1);
    if (revived === list[index]) continue;
    copy ??= [...list];
    copy[index] = revived;
  }
  return (copy ?? list) as readonly Revived[];
}

function reviveObject(key: string, object: JsonObject, depth: number): Revived {
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(object)) {
    const revived = reviveUnder(name, object[name], depth + 1);
    if (forbiddenKeys.has(name)) {
      copy ??= { ...object };
      delete copy[name];
    } else if (revived !== object[name]) {
      copy ??= { ...object };
      copy[name] = revived;
    }
  }
  const untyped = (copy ?? object) as RevivedObject;
  // The value of `sig` always stays an object; the values of forbidden keys are dropped without conversion.
  return key === "sig" || forbiddenKeys.has(key) ? untyped : typedValueOf(untyped);
}

/** Returns the big integer or bytes that an object represents, else the object itself. */
function typedValueOf(object: RevivedObject): Revived {
  if (!Object.hasOwn(object, "dataType")) return object;
  const value = Object.hasOwn(object, "value") ? object["value"] : undefined;
  switch (object["dataType"]) {
    case "bi":
      return bigIntegerOf(value);
    case "bb":
      return typeof value === "string" ? Buffer.from(value, "base64") : object;
    case "u8ab":
      return typeof value === "string" ? plainBytesOf(value) : object;
    default:
      return object;
  }
}

function plainBytesOf(base64: string): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(base64, "base64");
  return new Uint8Array(buffer, byteOffset, length);
}

/** @param value converted to text by JavaScript's rules, it is the digits */
function bigIntegerOf(value: Revived | undefined): bigint {
  if (value !== undefined) checkNested(value, 0);
  try {
    const digits = String(value);
    if (digits.length > bigIntegerDigitsMax) {
      throw new CanonicalTextError(`a big integer of more than ${bigIntegerDigitsMax} digits`);
    }
    return BigInt(`0x${digits}`);
  } catch (cause) {
    if (cause instanceof CanonicalTextError) throw cause;
    throw new CanonicalTextError("a big integer whose value is not hexadecimal", { cause });
  }
}

/**
 * Returns the bytes of a long-form buffer, `{"type":"Buffer","data":…}`; `undefined` if `data` does not have the type
 * of bytes. Elements of a list that are not numbers are converted by JavaScript's rules.
 *
 * @throws CanonicalTextError if the network's code rejects an element, or the element exceeds a bound
 */
export function bytesOfLongBuffer(data: Revived | undefined): Buffer | undefined {
  if (typeof data === "string") return Buffer.from(data, "utf8");
  if (data instanceof Uint8Array) return Buffer.from(data);
  if (!Array.isArray(data)) return undefined;
  for (const element of data as readonly Revived[]) checkNested(element, 0);
  try {
    return Buffer.from(data as readonly number[]);
  } catch (cause) {
    throw new CanonicalTextError("a buffer with a value that is not a byte", { cause });
  }
}

/** Checks a value before JavaScript converts it to text or a number. */
function checkNested(value: Revived, depth: number): void {
  if (typeof value === "bigint") {
    if (value < nestedBigIntegerMax) return;
    throw new CanonicalTextError(`a nested big integer of more than ${nestedBigIntegerDigitsMax} digits`);
  }
  if (value instanceof Uint8Array) {
    if (value.length <= nestedBytesMax) return;
    throw new CanonicalTextError(`more than ${nestedBytesMax} bytes nested in a typed value`);
  }
  if (!Array.isArray(value)) return;
  if (depth >= nestedListsMax) {
    throw new CanonicalTextError(`more than ${nestedListsMax} lists nested in a typed value`);
  }
  for (const item of value as readonly Revived[]) checkNested(item, depth + 1);
}
