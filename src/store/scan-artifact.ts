/**
 * One pass over an artifact: what it hashes to, how large it is, how many accounts it holds, and between
 * which addresses. No account is parsed: the text before an account ID stands nowhere else.
 */

import type { ArtifactScan, Compression } from "../format/artifact.ts";
import type { ByteBudget } from "../limits/byte-budget.ts";
import { COPY_PREFIX } from "../protocol/account-copy.ts";
import { ADDRESS_DIGITS } from "../protocol/address.ts";
import { RunningHash } from "../protocol/crypto/hash.ts";
import { readArtifact } from "./durable.ts";

export interface ScanLimits {
  /** Ends the scan. */
  readonly signal?: AbortSignal | undefined;
  /** How many plain bytes may be read. */
  readonly budget?: ByteBudget | undefined;
}

/** @throws BudgetExceededError, or the file system's or zlib's error where it cannot be read */
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
    if (chunk.includes(0)) throw new Error("it has a zero byte, as a sparse file has: no artifact has one");
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

/** Finds account IDs in a text that comes in chunks. */
class AccountIds {
  count = 0;
  first: string | undefined;
  last: string | undefined;
  /** The end of the text so far, in which a prefix may have begun. */
  #tail: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    // What lies across the seam is looked for by itself: joining whole chunks would copy everything.
    const seam = Buffer.concat([this.#tail, chunk.subarray(0, prefix.length - 1)]);
    this.#complete(chunk);
    this.#scan(seam, chunk, this.#tail.length);
    this.#scan(chunk, chunk, 0);
    const text = chunk.length >= prefix.length - 1 ? chunk : seam;
    this.#tail = Buffer.from(text.subarray(Math.max(0, text.length - prefix.length + 1)));
  }

  /** @param offset how much of `text` stands before `chunk` */
  #scan(text: Buffer, chunk: Buffer, offset: number): void {
    let lastStart: number | undefined;
    for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + prefix.length)) {
      lastStart = at + prefix.length - offset;
      if (this.count++ === 0) this.first = idAt(chunk, lastStart);
    }
    if (lastStart !== undefined) this.last = idAt(chunk, lastStart);
  }

  /** An ID that began in the chunk before goes on in this one. */
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
