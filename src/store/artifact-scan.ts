/** One pass over an artifact: what it hashes to, how large it is, and how many accounts it holds. */

import { COPY_PREFIX } from "../model/account-copy.ts";
import { RunningHash } from "../model/hash.ts";
import { readArtifact } from "./durable.ts";
import type { Compression } from "./layout.ts";

export interface ArtifactScan {
  readonly hash: string;
  readonly accounts: number;
  /** Of the plain text. */
  readonly bytes: number;
}

const prefix = Buffer.from(COPY_PREFIX);

/** @throws the file system's or zlib's error where it cannot be read */
export async function scanArtifact(
  path: string,
  compression: Compression,
  hashKey: string,
): Promise<ArtifactScan> {
  const hash = new RunningHash(hashKey);
  let accounts = 0;
  let bytes = 0;
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of readArtifact(path, compression)) {
    hash.update(chunk);
    bytes += chunk.length;
    // The prefix may lie across two chunks.
    const seam = Buffer.concat([tail, chunk.subarray(0, prefix.length - 1)]);
    accounts += countOf(seam) + countOf(chunk);
    tail =
      chunk.length >= prefix.length - 1
        ? chunk.subarray(1 - prefix.length)
        : seam.subarray(1 - prefix.length);
  }
  return { hash: hash.digest(), accounts, bytes };
}

function countOf(text: Buffer): number {
  let count = 0;
  for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + prefix.length)) count++;
  return count;
}
