/**
 * The accounts that restarting validators read.
 *
 * A validator requests a page from the timestamp of its last account on (core 2.15.8,
 * `src/state-manager/ArchiverSyncTracker.ts`, `syncAccountData2`). After a page of fewer accounts than it requested, it
 * goes on one millisecond later, so such a page must contain all accounts of its last timestamp: a page that would be too
 * large ends between two timestamps. While a whole page has one timestamp, it states the last account of that page, and
 * goes on with it: `(timestamp, accountId) >= (tsStart, accountOffset)`.
 */

import pLimit from "p-limit";
import { globalAccountsReportedMax, listedAccountsMax } from "../../limits/serve-archiver.ts";
import { isHex64 } from "../../protocol/address.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import type { AccountIndex, IndexedAccount } from "../index/account-index.ts";
import type { CopyReader } from "../index/copy-reader.ts";
import { pageBytesMax } from "../index/crowded-pages.ts";
import { dataTextIn } from "../index/data-text.ts";
import { answeredText } from "../index/index-format.ts";
import type { AccountDataRequest } from "./request-checks.ts";
import { objectText, type Signer, signedText } from "./signed-text.ts";

/** Accounts of the archiver for a number of records that is not whole (archiver 3.7.7, `safeLimit`). */
const recordsByDefault = 100;

/** Accounts that are read at once. */
const readAtOnce = 16;

export interface Page {
  readonly text: string;
  readonly accounts: number;
}

export class AccountPages {
  readonly #index: AccountIndex;
  readonly #reader: CopyReader;
  readonly #signer: Signer;
  #report: Promise<string> | undefined;

  constructor(index: AccountIndex, reader: CopyReader, signer: Signer) {
    this.#index = index;
    this.#reader = reader;
    this.#signer = signer;
  }

  /**
   * Returns the answer to a request for the accounts of a range.
   *
   * @throws SnapshotError if the snapshot cannot be read, or is no longer the one that was verified
   */
  async page(request: AccountDataRequest, nowMs: number): Promise<Page> {
    const { accountOffset } = request;
    const limit = Number.isInteger(request.maxRecords) ? request.maxRecords : recordsByDefault;
    const skip = Number.isInteger(request.offset) && accountOffset === "" ? request.offset : 0;
    const accounts = pageOf(await this.#index.accountsFrom({ ...request, tsEnd: nowMs }, skip, limit));
    const highestTs = accounts.at(-1)?.timestamp ?? 0;
    const isEmpty = accounts.length === 0;
    const data = objectText([
      ["wrappedAccounts", listText(await this.#textsOf(accounts))],
      ["lastUpdateNeeded", String(isEmpty)],
      // Accounts that changed while they were read, of which a snapshot has none.
      ["wrappedAccounts2", "[]"],
      ["highestTs", String(highestTs)],
      ["delta", String(isEmpty ? 0 : nowMs - highestTs)],
    ]);
    return { text: this.#signed(["data", data]), accounts: accounts.length };
  }

  /**
   * Returns the answer to a request for accounts by ID: all that the snapshot has, as far as one response contains them. A
   * validator requests again those that it misses.
   *
   * @throws SnapshotError as {@link page}
   */
  async list(accountIds: readonly string[]): Promise<Page> {
    const ids = [...new Set(accountIds)].filter(isHex64).sort().slice(0, listedAccountsMax);
    const found: IndexedAccount[] = [];
    let bytes = 0;
    for (const id of ids) {
      const account = this.#index.accountWith(id);
      if (account === undefined) continue;
      bytes += account.bytes;
      if (bytes > pageBytesMax) break;
      found.push(account);
    }
    const accountData = listText(await this.#textsOf(found));
    return { text: this.#signed(["accountData", accountData]), accounts: found.length };
  }

  /**
   * Returns the report of the global accounts, by which validators choose archivers with the same state.
   *
   * @throws SnapshotError as {@link page}; Error if there are too many
   */
  async report(): Promise<string> {
    this.#report ??= this.#makeReport();
    try {
      return await this.#report;
    } catch (error) {
      this.#report = undefined;
      throw error;
    }
  }

  async #makeReport(): Promise<string> {
    const globals = this.#index.globalAccounts(globalAccountsReportedMax + 1);
    if (globals.length > globalAccountsReportedMax)
      throw new Error(`the snapshot has more than ${globalAccountsReportedMax} global accounts`);
    const texts = await this.#each(globals, async (account) => {
      const { accountId, hash, timestamp } = await this.#reader.read(account);
      return `{"hash":${JSON.stringify(hash)},"id":"${accountId}","timestamp":${timestamp}}`;
    });
    const accounts = ["accounts", listText(texts)] as const;
    const ready = ["ready", "true"] as const;
    const combinedHash = hashText(
      objectText([accounts, ready, ["combinedHash", '""']]),
      this.#signer.hashKey,
    );
    return signedText([accounts, ready, ["combinedHash", `"${combinedHash}"`]], this.#signer);
  }

  async #textsOf(accounts: readonly IndexedAccount[]): Promise<string[]> {
    return await this.#each(accounts, async (account) => {
      const copy = await this.#reader.read(account);
      return answeredText(copy, dataTextIn(account.form, copy.data));
    });
  }

  async #each<T>(
    accounts: readonly IndexedAccount[],
    read: (account: IndexedAccount) => Promise<T>,
  ): Promise<T[]> {
    const limit = pLimit(readAtOnce);
    return await Promise.all(accounts.map((account) => limit(() => read(account))));
  }

  #signed(field: readonly [string, string]): string {
    return signedText([field, ["success", "true"]], this.#signer);
  }
}

/** Returns the beginning of a page that one response contains: all of it, or up to the end of a timestamp. */
export function pageOf(accounts: readonly IndexedAccount[]): readonly IndexedAccount[] {
  let bytes = 0;
  let end = 0;
  for (const [place, account] of accounts.entries()) {
    if (place > 0 && account.timestamp !== accounts[place - 1]?.timestamp) end = place;
    bytes += account.bytes;
    if (bytes <= pageBytesMax) continue;
    // Building the index refuses such accounts.
    if (end === 0) throw new Error(`accounts of the timestamp ${account.timestamp} exceed a response`);
    return accounts.slice(0, end);
  }
  return accounts;
}

function listText(texts: readonly string[]): string {
  return `[${texts.join(",")}]`;
}
