/** The state of a static network on disk, as the text of its responses. */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { accountCopyText, type WrappedData } from "../../dist/protocol/account-copy.js";
import type { HashHex } from "../../dist/protocol/brands.js";
import { canonicalTextOf } from "../../dist/protocol/crypto/canonical-text.js";
import { hashText, RunningHash } from "../../dist/protocol/crypto/hash.js";
import type { RecordForm } from "./static-network-process.ts";

/** Accounts that have not changed are dated from here on, a millisecond apart. */
const firstMs = 1_690_000_000_000;

export interface StateShape {
  readonly form: RecordForm;
  /** Of each partition, as published. */
  readonly bytes: number;
}

/** Which accounts have changed since the first state: each `every`th one, within `spanMs` from `fromMs` on. */
export interface StateChange {
  readonly every: number;
  readonly fromMs: number;
  readonly spanMs: number;
}

/** @param prefix of the addresses: 8 hex digits */
export function* records(
  { form, bytes }: StateShape,
  prefix: string,
  change?: StateChange,
): Generator<WrappedData> {
  const count = Math.ceil(bytes / accountCopyText(makeRecord(form, prefix, 0)).length);
  for (let i = 0; i < count; i++) {
    const isChanged = change !== undefined && i % change.every === 0;
    yield makeRecord(form, prefix, i, isChanged ? change.fromMs + (i % change.spanMs) : undefined);
  }
}

export function* changedRecords(
  shape: StateShape,
  prefix: string,
  change: StateChange,
): Generator<WrappedData> {
  for (const record of records(shape, prefix, change)) if (record.timestamp >= change.fromMs) yield record;
}

/** Writes records in wire form, with commas between them. Returns the hash of their list. */
export async function writeRecords(path: string, list: Iterable<WrappedData>): Promise<HashHex> {
  const file = createWriteStream(path, { highWaterMark: 1 << 18 });
  const hash = new RunningHash();
  let separator = "";
  for (const record of list) {
    hash.update(Buffer.from(`${separator || "["}${accountCopyText(record)}`));
    if (!file.write(`${separator}${JSON.stringify(record)}`)) await once(file, "drain");
    separator = ",";
  }
  file.end();
  await once(file, "finish");
  return hash.update(Buffer.from("]")).digest();
}

/** @param changedMs `undefined` for an account that has not changed */
function makeRecord(form: RecordForm, prefix: string, i: number, changedMs?: number): WrappedData {
  const accountId = prefix + i.toString(16).padStart(56, "0");
  const account = {
    balance: { dataType: "bi", value: (i * 7919 + 1).toString(16) },
    codeHash: { value: createHash("sha256").update(accountId).digest("base64"), dataType: "u8ab" },
    nonce: { dataType: "bi", value: changedMs === undefined ? "2a" : "2b" },
    storageRoot: { value: createHash("sha256").update(`${i}`).digest("base64"), dataType: "u8ab" },
  };
  const hashed = { account, accountType: 0, ethAddress: `0x${accountId.slice(24)}`, timestamp: i };
  const stateId = hashText(canonicalTextOf(hashed));
  const { timestamp, ...named } = hashed;
  const sorted = { ...named, hash: stateId, timestamp };
  const { timestamp: _timestamp, ...others } = sorted;
  const data = form === "canonical" ? sorted : { timestamp: i, ...others };
  return { accountId, stateId, data, timestamp: changedMs ?? firstMs + i };
}
