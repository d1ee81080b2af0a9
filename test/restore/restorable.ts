/** Published snapshots whose accounts an archiver can keep, and a folder as an archiver has it. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { accountHash } from "../../src/restore/account-hash.ts";
import { startCluster } from "../../src/testnet/cluster/cluster.ts";
import type { AccountMaker } from "../../src/testnet/state/seeded-state.ts";
import { assembleFrom } from "../app/run.ts";
import type { StoredCopy } from "../helpers/archiver-database.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";

/** Makes an account whose hash is that of its data. */
export const hashedAccount: AccountMaker = (random, accountId, timestamp, isGlobal) => {
  const data = {
    accountType: 5,
    balance: { dataType: "bi", value: random.hex(1) },
    note: `"„${random.hex(2)}`,
  };
  const stateId = accountHash("data", data, DEFAULT_HASH_KEY) ?? "";
  const at = timestamp - random.below(1_000_000);
  return { accountId, stateId, data: { ...data, hash: stateId }, timestamp: at, syncData: { isGlobal } };
};

/** Assembles a snapshot of accounts that a maker makes, and returns its directory. */
export async function snapshotWith(
  out: string,
  makeAccount: AccountMaker = hashedAccount,
  changes: Record<string, unknown> = {},
  compression: "none" | "gzip" = "none",
): Promise<string> {
  const cluster = await startCluster(smallFixture({ globalAccounts: 1, ...changes }), { makeAccount });
  try {
    return (await assembleFrom(cluster, { out, compression, seed: ["none"] })).directory;
  } finally {
    await cluster.stop();
  }
}

/** Returns the rows of an archiver's database in the order in which they were written. */
export function rowsOf(path: string): (StoredCopy & { readonly cycleNumber: number })[] {
  const database = new Database(`file:${path}?mode=ro&immutable=1`);
  const select =
    "SELECT accountId, data, hash, isGlobal, timestamp, cycleNumber FROM accounts ORDER BY rowid";
  const rows = database.prepare(select).all([]) as (StoredCopy & { cycleNumber: number })[];
  database.close();
  return rows;
}

/** Returns the files of an archiver's folder, without those of a restore that is over. */
export function filesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

export const accountsPath = (folder: string) => join(folder, "accounts.sqlite3");
