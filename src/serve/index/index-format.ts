/**
 * The format of an index: a SQLite file beside a snapshot that says where each account is, in the order in which restarting
 * validators request accounts. All of its values are numbers and bytes. It is only ever replaced, never changed.
 */

import type { AccountCopy } from "../../artifact/account-copies.ts";

/** "SAIX": the files of this program. */
export const indexApplicationId = 0x53_41_49_58;

/** The version of the format, and of what the columns mean. */
export const indexVersion = 1;

/**
 * Accounts are divided by address, so that a page of a narrow range reads few rows of other ranges, and a page of a wide
 * range merges few lists.
 */
export const slots = 64;

/** @param accountId 64 hex digits */
export function slotOf(accountId: string): number {
  return Number.parseInt(accountId.slice(0, 2), 16) >> 2;
}

/** How `data` of a copy becomes `data` of a response. */
export const dataForms = {
  /** Its text is canonical, and is sent as it is. */
  canonical: 0,
  /** Its text is JSON, but not canonical: it is parsed, as the archiver does with every account. */
  json: 1,
  /** Its text is not JSON: the account's data is a text. */
  text: 2,
} as const;

export type DataForm = (typeof dataForms)[keyof typeof dataForms];

export function isDataForm(value: number): value is DataForm {
  return value === dataForms.canonical || value === dataForms.json || value === dataForms.text;
}

/** Bytes of a copy's hash that a row keeps. */
export const digestBytes = 16;

/**
 * `bytes` is the length of the account in a response. `copy` has the copy itself if its artifact is compressed: nothing can
 * be read from the middle of such a file.
 */
export const indexTables = `
  CREATE TABLE accounts(accountId BLOB NOT NULL, slot INTEGER NOT NULL, timestamp INTEGER NOT NULL,
    isGlobal INTEGER NOT NULL, form INTEGER NOT NULL, bytes INTEGER NOT NULL, artifact INTEGER NOT NULL,
    offset INTEGER NOT NULL, length INTEGER NOT NULL, digest BLOB NOT NULL, copy BLOB);
  CREATE TABLE snapshot(digest BLOB NOT NULL, accounts INTEGER NOT NULL, newest INTEGER NOT NULL);`;

export const indexIndexes = `
  CREATE UNIQUE INDEX by_id ON accounts(accountId);
  CREATE INDEX by_time ON accounts(slot, timestamp, accountId);
  CREATE INDEX globals ON accounts(accountId) WHERE isGlobal = 1;`;

/** The text of an account in a response, from its parts: canonical text sorts its keys. */
export function answeredText(copy: Omit<AccountCopy, "isGlobal" | "data">, dataText: string): string {
  const { accountId, hash, timestamp } = copy;
  return `{"accountId":"${accountId}","data":${dataText},"stateId":${JSON.stringify(hash)},"timestamp":${timestamp}}`;
}
