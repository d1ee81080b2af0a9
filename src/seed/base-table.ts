/** Reads the accounts of an archiver's database as batches of copies. */

import type { BaseTable } from "../artifact/response-report.ts";
import { listReadBytes } from "../limits/seed.ts";
import { ArchiverAccounts } from "../store/archiver-accounts.ts";
import type { Batch } from "./base-text.ts";

/**
 * @param timestampMax milliseconds: newer versions are left out
 * @throws an error about the file
 */
export function* readTable(table: BaseTable, timestampMax: number): Generator<Batch, void, void> {
  const accounts = new ArchiverAccounts(table.path);
  try {
    let copies: string[] = [];
    let starts = [0];
    for (const copy of accounts.copies({ ...table, timestampMax })) {
      copies.push(copy);
      const end = (starts.at(-1) as number) + Buffer.byteLength(copy) + 1;
      starts.push(end);
      if (end < listReadBytes) continue;
      yield { text: Buffer.from(copies.join()), starts };
      copies = [];
      starts = [0];
    }
    if (copies.length > 0) yield { text: Buffer.from(copies.join()), starts };
  } finally {
    accounts.close();
  }
}
