/**
 * Parses one account of a partial snapshot (PROTOCOL.md, Partial snapshots). A run parses millions of them, so the
 * checks are written by hand, without a schema.
 */

import { accountValuesMax, depthMax } from "../limits/json.ts";
import type { WrappedData } from "../protocol/account-copy.ts";
import { isHex64 } from "../protocol/address.ts";
import { describe, parseJson, WireError } from "./parse.ts";

const bounds = { depthMax, valuesMax: accountValuesMax };

/**
 * Parses one account of a response.
 *
 * @throws WireError if the account is malformed
 */
export function parseWrappedData(record: Buffer, source: string): WrappedData {
  const received = parseJson(record.toString("utf8"), source, bounds);
  if (typeof received !== "object" || received === null) {
    throw new WireError(source, `expected an account, got ${describe(received)}`);
  }
  const value = received as Record<string, unknown>;
  const { accountId, stateId, timestamp, syncData } = value;
  if (!isHex64(accountId)) throw wrong(source, "accountId", "64 lower-case hex digits", accountId);
  if (typeof stateId !== "string") throw wrong(source, "stateId", "a hash", stateId);
  if (typeof timestamp !== "number" || !Number.isFinite(timestamp)) {
    throw wrong(source, "timestamp", "milliseconds", timestamp);
  }
  if (!Object.hasOwn(value, "data")) throw wrong(source, "data", "the account's data", undefined);
  const isGlobal = isGlobalOf(syncData, source);
  return { accountId, stateId, timestamp, data: value["data"], syncData: { isGlobal } };
}

function isGlobalOf(syncData: unknown, source: string): boolean {
  if (syncData === undefined || syncData === null) return false;
  if (typeof syncData !== "object") throw wrong(source, "syncData", "an object", syncData);
  const isGlobal = Object.hasOwn(syncData, "isGlobal")
    ? (syncData as { isGlobal: unknown }).isGlobal
    : undefined;
  if (isGlobal === undefined || isGlobal === null) return false;
  if (typeof isGlobal !== "boolean") throw wrong(source, "syncData.isGlobal", "true or false", isGlobal);
  return isGlobal;
}

function wrong(source: string, field: string, expected: string, came: unknown): WireError {
  return new WireError(source, `${field}: expected ${expected}, got ${describe(came)}`);
}
