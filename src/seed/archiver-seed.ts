/** The database of an archiver as a seed. */

import { basename, join } from "node:path";
import type { BaseTable } from "../artifact/response-report.ts";
import { highestAddress, lowestAddress } from "../protocol/address.ts";
import { ARCHIVER_ACCOUNTS_FILE, ArchiverAccounts } from "../store/archiver-accounts.ts";
import { statsOf } from "../store/own-files.ts";
import type { Seed } from "./seed.ts";

/**
 * Reads until when an archiver has the accounts. A version that is newer than the snapshot has replaced the one of then:
 * it counts as missing.
 *
 * @param path the file, or the folder that it is in
 * @param timestamp the moment of the snapshot, in milliseconds
 * @throws an error of the file system, or an error about the file
 */
export async function readArchiverSeed(path: string, timestamp: number): Promise<Seed> {
  const isFolder = (await statsOf(path))?.isDirectory() === true;
  const file = isFolder ? join(path, ARCHIVER_ACCOUNTS_FILE) : path;
  const accounts = new ArchiverAccounts(file);
  try {
    const newest = accounts.newestUntil(timestamp);
    if (newest === undefined) throw new Error(`it has no account of ${timestamp} or before`);
    const all = { path: file, low: lowestAddress(0), high: highestAddress(2 ** 32 - 1) };
    const listOf = (table: BaseTable) => ({ file: table, hash: undefined });
    return {
      name: basename(file),
      timestamp: newest,
      lacks: accounts.hasNewerThan(timestamp) ? "versions" : "nothing",
      lists: [listOf({ ...all, isGlobal: false })],
      global: listOf({ ...all, isGlobal: true }),
    };
  } finally {
    accounts.close();
  }
}
