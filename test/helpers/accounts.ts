/** Deterministic accounts for tests, with data that is difficult to hash. */

import { createHash } from "node:crypto";
import type { WrappedData } from "../../src/protocol/account-copy.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { partitionRange, type Shard } from "../../src/protocol/shard.ts";

export interface AccountCounts {
  /** In each partition. */
  readonly perPartition: number;
  readonly globals: number;
  /** Additional bytes in each account's data. */
  readonly padding?: number;
}

/** Makes accounts, ascending by ID, global accounts among the others. */
export function makeAccounts(
  shard: Shard,
  { perPartition, globals, padding = 0 }: AccountCounts,
): WrappedData[] {
  const accounts: WrappedData[] = [];
  for (let partition = 0; partition < shard.numNodes; partition++) {
    const { low } = partitionRange(shard, asPartition(partition));
    for (let number = 0; number < perPartition; number++) {
      accounts.push(makeAccount(low.slice(0, 8) + digest(`${partition}/${number}`).slice(8), padding));
    }
  }
  for (let number = 0; number < globals; number++) {
    accounts.push({ ...makeAccount(digest(`global ${number}`), padding), syncData: { isGlobal: true } });
  }
  return accounts.sort(byId);
}

export function byId(a: WrappedData, b: WrappedData): number {
  return a.accountId < b.accountId ? -1 : 1;
}

export function makeAccount(accountId: string, padding = 0): WrappedData {
  const kind = Number.parseInt(accountId.slice(-2), 16) % 4;
  const filler = "x".repeat(padding);
  const data = [
    { hash: "b", balance: { value: "00ff", dataType: "bi" }, a: filler },
    { z: [1, null, { dataType: "u8ab", value: "-_8" }], 'a"b\\': "é😀\ud800\n]}", filler },
    `{"accountId":"text, not an account","quoted":"\\"\\\\${filler}"}`,
    { proof: { type: "Buffer", data: [1, 2, 255] }, __proto: { constructor: 1 }, filler },
  ][kind];
  return { accountId, stateId: digest(`state of ${accountId}`), data, timestamp: 1_700_000_000_000 + kind };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
