import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { networkHashOf } from "../../src/protocol/partition-hash.ts";
import { readAccountsBack } from "../../src/restore/archiver/read-accounts-back.ts";
import { createArchiverDatabase } from "../helpers/archiver-database.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

interface Report {
  readonly combinedHash: string;
  readonly accounts: readonly { readonly id: string; readonly hash: string; readonly timestamp: number }[];
}

/** The published archiver's answer to `POST /get_globalaccountreport_archiver`. */
const { report } = JSON.parse(
  readFileSync(new URL("../vectors/global-account-report.json", import.meta.url), "utf8"),
) as { report: Report };

it("computes the combined hash that the published archiver answers for the same global accounts", () => {
  const copies = report.accounts.map(({ id, hash, timestamp }) => ({
    accountId: id,
    data: "{}",
    hash,
    isGlobal: 1,
    timestamp,
  }));
  const [open, path] = [join(temporaryDirectory(), "open"), join(temporaryDirectory(), "closed")];
  const database = createArchiverDatabase(open, copies);
  database.pragma("wal_checkpoint(TRUNCATE)");
  copyFileSync(open, path);
  const hashes = [
    [-1, hashText(JSON.stringify(copies))],
    [0, hashText("[]")],
  ] as const;
  const networkHash = networkHashOf(hashes.map(([, hash]) => hash));
  const agreed = { hashKey: DEFAULT_HASH_KEY, cycle: 7, networkHash, hashes };
  expect(readAccountsBack({ kind: "read-back", path, agreed }, () => undefined)).toEqual({
    accounts: 3,
    globalAccounts: 3,
    combinedHash: report.combinedHash,
    crowded: [],
  });
});
