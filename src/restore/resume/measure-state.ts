/**
 * Reads a database back after a replay, from the file: each changed account must have the hash of its data. The partition
 * hashes are computed for comparison with other archivers. Runs in a process of its own, as the replay does.
 */

import { networkHashOf } from "../../protocol/partition-hash.ts";
import { allPartitions } from "../../protocol/shard.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";
import { parseJson } from "../../wire/parse.ts";
import { type AccountHashRule, accountHash } from "../account-hash.ts";
import { checkIndexes, notAsWritten } from "../archiver/read-accounts-back.ts";
import { StoredState, type StoredSummary } from "../archiver/stored-state.ts";

export interface MeasureOrder {
  readonly kind: "measure";
  readonly path: string;
  readonly hashKey: string;
  /** The number of partitions but the global one. */
  readonly numNodes: number;
  /** Rows of the table behind this one are changed accounts. */
  readonly rowsBefore: number;
  readonly rules: readonly AccountHashRule[];
}

export interface MeasuredState {
  readonly summary: StoredSummary;
  /** Accounts that differ from the snapshot's. */
  readonly changed: number;
  /** The hash of each partition, −1 first. */
  readonly hashes: readonly (readonly [partition: number, hash: string])[];
  readonly networkHash: string;
}

/**
 * @param onProgress called with the number of accounts so far
 * @throws SnapshotError `disk` if an account does not read back
 */
export function measureState(order: MeasureOrder, onProgress: (accounts: number) => void): MeasuredState {
  const { path, hashKey, numNodes } = order;
  return withSqliteErrors({ path, isReadOnly: true }, () => {
    const state = new StoredState(path, { hashKey, numNodes }, onProgress);
    const changed = checkChanged(state, order);
    const hashes = allPartitions({ numNodes }).map(
      (partition) => [partition, state.partitionHash(partition)] as const,
    );
    const summary = state.summary();
    if (summary.accounts !== state.hashed)
      throw notAsWritten(path, "the number of accounts", summary.accounts, state.hashed);
    checkIndexes({ kind: "check-indexes", path });
    const networkHash = networkHashOf(
      hashes.map(([, hash]) => hash),
      hashKey,
    );
    return { summary, changed, hashes, networkHash };
  });
}

/** Returns how many accounts were changed. */
function checkChanged({ database }: StoredState, { path, rowsBefore, rules, hashKey }: MeasureOrder): number {
  let changed = 0;
  for (const row of database.rows("SELECT accountId, data, hash FROM accounts WHERE rowid > ?", rowsBefore)) {
    const [accountId, hash] = [row.string("accountId"), row.string("hash")];
    const data = parseJson(row.string("data"), `account ${accountId}`);
    const computed = rules.map((rule) => accountHash(rule, data, hashKey));
    if (!computed.includes(hash))
      throw notAsWritten(path, `the hash of account ${accountId}`, computed[0] ?? "none", hash);
    changed++;
  }
  return changed;
}
