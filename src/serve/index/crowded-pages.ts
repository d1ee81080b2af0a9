/**
 * Finds accounts that no response can contain. A page may end early only between two timestamps, so as many accounts of one
 * timestamp as a page has must fit into one response.
 */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { unfitAccountsShownMax } from "../../limits/restore.ts";
import {
  restorePageAccountsMax,
  restorePageBytesMax,
  restorePageFrameBytes,
} from "../../limits/serve-archiver.ts";
import type { ForeignDatabase } from "../../store/foreign-database.ts";
import { counted } from "../../text/counted.ts";

/** The bytes that the accounts of a page may have, each with its comma. */
export const pageBytesMax = restorePageBytesMax - restorePageFrameBytes;

/** The largest accounts, as many as a page has. If they fit into one response, all accounts do. */
export class LargestAccounts {
  /** Ascending. */
  readonly #bytes: number[] = [];

  /** @param bytes the length of an account in a response */
  add(bytes: number): void {
    const smallest = this.#bytes[0];
    if (this.#bytes.length === restorePageAccountsMax) {
      if (smallest !== undefined && bytes <= smallest) return;
      this.#bytes.shift();
    }
    const at = this.#bytes.findIndex((other) => other >= bytes);
    this.#bytes.splice(at < 0 ? this.#bytes.length : at, 0, bytes);
  }

  get fit(): boolean {
    return this.#bytes.reduce((sum, bytes) => sum + bytes, 0) <= pageBytesMax;
  }
}

/** @throws SnapshotError `unrestorable` if accounts of one timestamp exceed a response */
export function requirePages(database: ForeignDatabase, largest: LargestAccounts): void {
  if (largest.fit) return;
  const details: string[] = [];
  let count = 0;
  const crowded =
    "SELECT timestamp FROM accounts GROUP BY timestamp HAVING sum(bytes) > ? ORDER BY timestamp";
  for (const row of database.rows(crowded, pageBytesMax)) {
    const timestamp = row.count("timestamp");
    if (!exceedsPage(database, timestamp)) continue;
    count++;
    if (details.length < unfitAccountsShownMax) details.push(`accounts of the timestamp ${timestamp}`);
  }
  if (count === 0) return;
  if (count > details.length) details.push(`and ${counted(count - details.length, "more timestamp")}`);
  throw new SnapshotError(
    "unrestorable",
    `restarting validators could not receive the accounts of ${counted(count, "timestamp")}: a page of them has more than ${restorePageBytesMax} bytes, which validators do not read`,
    {
      details,
      hint: "No archiver can serve them either; find out which application wrote accounts of this size.",
    },
  );
}

/** Returns whether consecutive accounts of a timestamp, at most a page of them, exceed a response. */
function exceedsPage(database: ForeignDatabase, timestamp: number): boolean {
  const page: number[] = [];
  let sum = 0;
  const accounts = "SELECT bytes FROM accounts WHERE timestamp = ? ORDER BY accountId";
  for (const row of database.rows(accounts, timestamp)) {
    const bytes = row.count("bytes");
    page.push(bytes);
    sum += bytes;
    if (page.length > restorePageAccountsMax) sum -= page.shift() ?? 0;
    if (sum > pageBytesMax) return true;
  }
  return false;
}
