/** Exports accounts as lines of JSON, and reads them back. */

import { closeSync, createReadStream, fsyncSync, openSync, writeSync } from "node:fs";
import { copyBytesMax } from "../../artifact/list-entries.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { linesOf } from "../../format/lines.ts";
import { restoreProgressAccounts, restoreTextCharacters } from "../../limits/restore.ts";
import { accountCopyText } from "../../protocol/account-copy.ts";
import { FILE_MODE } from "../../store/own-files.ts";
import type { AccountCopy } from "../account-copy.ts";
import { type Export, type ExportCounts, isText } from "./export-form.ts";
import { ScratchAccounts } from "./scratch-accounts.ts";

/** The fields of an account-export line around those of a copy. */
const lineBytesMax = copyBytesMax + 1024;

/** Writes and syncs a new file. */
export function writeLines(order: Export, onProgress: (accounts: number) => void): ExportCounts {
  const { path, form } = order;
  const accounts = new ScratchAccounts(order);
  const file = openSync(path, "wx", FILE_MODE);
  let count = 0;
  let text = "";
  const flush = () => {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    text = "";
  };
  try {
    // The loader of an account-export ends at a timestamp that is lower than the one before.
    for (const copy of accounts.copies(form === "account-export" ? "timestamp" : "artifacts")) {
      text += `${form === "account-export" ? exportText(copy) : copyText(copy)}\n`;
      if (text.length >= restoreTextCharacters) flush();
      if (++count % restoreProgressAccounts === 0) onProgress(count);
    }
    flush();
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return accounts.counts;
}

function copyText({ accountId, data, hash: stateId, isGlobal, timestamp }: AccountCopy): string {
  return accountCopyText({ accountId, stateId, data, timestamp, syncData: { isGlobal: isGlobal === 1 } });
}

/** A new network begins at cycle 0. */
function exportText({ accountId, data, hash, isGlobal, timestamp }: AccountCopy): string {
  return JSON.stringify({ accountId, cycleNumber: 0, data, hash, isGlobal, timestamp });
}

/**
 * Reads a file back: each line must be an account of the scratch database, each account must be there once, and the lines
 * must be in order.
 *
 * @throws SnapshotError `disk`
 */
export async function checkLines(
  order: Export,
  onProgress: (accounts: number) => void,
): Promise<ExportCounts> {
  const { path, form } = order;
  if (!isText(form)) throw new TypeError(`${form} has no lines`);
  const accounts = new ScratchAccounts(order);
  const isChosen = order.chosen === null ? undefined : new Set(order.chosen);
  let before = "";
  let count = 0;
  for await (const { number, bytes } of linesOf(createReadStream(path), lineBytesMax)) {
    const found = bytes === undefined ? undefined : parseLine(bytes, form);
    const expected = found === undefined ? undefined : accounts.find(found.accountId);
    if (found === undefined || expected === undefined || !areEqual(found, expected)) {
      throw differs(path, `line ${number} is not an account of the snapshot`);
    }
    if (isChosen?.has(found.accountId) === false) throw differs(path, `line ${number} was not asked for`);
    const key = keyOf(found, form);
    if (key <= before) throw differs(path, `line ${number} is not after the line before`);
    before = key;
    if (++count % restoreProgressAccounts === 0) onProgress(count);
  }
  const { counts } = accounts;
  if (count !== counts.total) throw differs(path, `it has ${count} accounts, not ${counts.total}`);
  return counts;
}

/** A text that orders accounts as the lines are ordered. */
function keyOf({ accountId, isGlobal, timestamp }: AccountCopy, form: "account-export" | "jsonl"): string {
  return form === "jsonl"
    ? `${1 - isGlobal}${accountId}`
    : `${String(timestamp).padStart(17, "0")}${accountId}`;
}

function parseLine(bytes: Buffer, form: "account-export" | "jsonl"): AccountCopy | undefined {
  try {
    const value = JSON.parse(bytes.toString("utf8")) as AccountCopy & { readonly cycleNumber?: unknown };
    return form === "jsonl" || value.cycleNumber === 0 ? value : undefined;
  } catch {
    return undefined;
  }
}

export function areEqual(a: AccountCopy, b: AccountCopy): boolean {
  const keys = ["accountId", "data", "hash", "isGlobal", "timestamp"] as const;
  return keys.every((key) => a[key] === b[key]);
}

export function differs(path: string, problem: string): SnapshotError {
  return new SnapshotError("disk", `${path} does not read back as it was written: ${problem}`, {
    hint: "The file was removed. Check the disk and what else writes to this directory, and run again.",
  });
}
