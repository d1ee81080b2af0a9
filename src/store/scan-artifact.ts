/** Scans an artifact in one pass: its hash, its size, the number of its accounts, and the range of their IDs. */

import { AccountIds } from "../format/account-ids.ts";
import type { ArtifactScan, Compression } from "../format/artifact.ts";
import type { ByteBudget } from "../limits/byte-budget.ts";
import { RunningHash } from "../protocol/crypto/hash.ts";
import { readArtifact } from "./artifact-file.ts";

export interface ScanLimits {
  /** Aborts the scan. */
  readonly signal?: AbortSignal | undefined;
  /** The budget for plain bytes. */
  readonly budget?: ByteBudget | undefined;
}

/**
 * Reads an artifact once, for its hash, its size and its accounts.
 *
 * @throws BudgetExceededError, or an error of the file system or zlib
 */
export async function scanArtifact(
  path: string,
  compression: Compression,
  hashKey: string,
  { signal, budget }: ScanLimits = {},
): Promise<ArtifactScan> {
  const hash = new RunningHash(hashKey);
  const fileHash = compression === "none" ? undefined : new RunningHash(hashKey);
  const ids = new AccountIds();
  let bytes = 0;
  for await (const chunk of readArtifact(path, compression, budget, fileHash)) {
    signal?.throwIfAborted();
    if (chunk.includes(0)) throw new Error("it has a zero byte, like a sparse file; artifacts have none");
    hash.update(chunk);
    ids.push(chunk);
    bytes += chunk.length;
  }
  return {
    hash: hash.digest(),
    accounts: ids.count,
    bytes,
    firstId: ids.first,
    lastId: ids.last,
    ...(fileHash === undefined ? {} : { fileHash: fileHash.digest() }),
  };
}
