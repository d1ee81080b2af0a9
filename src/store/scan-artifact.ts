/**
 * Scans an artifact in one pass: its hash, its size, the number of its accounts, and the range of their IDs. Accounts are
 * not parsed: the text before an account ID occurs nowhere else.
 */

import type { ArtifactScan, Compression } from "../format/artifact.ts";
import type { ByteBudget } from "../limits/byte-budget.ts";
import { COPY_PREFIX } from "../protocol/account-copy.ts";
import { ADDRESS_DIGITS } from "../protocol/address.ts";
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

const prefix = Buffer.from(COPY_PREFIX);

/** Finds account IDs in a text that is read in chunks. */
class AccountIds {
  count = 0;
  first: string | undefined;
  last: string | undefined;
  /** The end of the text so far, in which a prefix may have begun. */
  #tail: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    // The text across two chunks is searched separately: joining whole chunks would copy everything.
    const seam = Buffer.concat([this.#tail, chunk.subarray(0, prefix.length - 1)]);
    this.#complete(chunk);
    this.#scan(seam, chunk, this.#tail.length);
    this.#scan(chunk, chunk, 0);
    const text = chunk.length >= prefix.length - 1 ? chunk : seam;
    this.#tail = Buffer.from(text.subarray(Math.max(0, text.length - prefix.length + 1)));
  }

  /** @param offset bytes of `text` before `chunk` */
  #scan(text: Buffer, chunk: Buffer, offset: number): void {
    let lastStart: number | undefined;
    for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + prefix.length)) {
      lastStart = at + prefix.length - offset;
      if (this.count++ === 0) this.first = idAt(chunk, lastStart);
    }
    if (lastStart !== undefined) this.last = idAt(chunk, lastStart);
  }

  /** Completes an ID that began in the previous chunk. */
  #complete(chunk: Buffer): void {
    if (this.first !== undefined) this.first += idRest(chunk, this.first);
    if (this.last !== undefined) this.last += idRest(chunk, this.last);
  }
}

function idAt(chunk: Buffer, start: number): string {
  return chunk.toString("latin1", start, start + ADDRESS_DIGITS);
}

function idRest(chunk: Buffer, begun: string): string {
  return chunk.toString("latin1", 0, Math.max(0, ADDRESS_DIGITS - begun.length));
}
