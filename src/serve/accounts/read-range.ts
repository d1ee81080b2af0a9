/** Reads the accounts of a range of addresses from the artifact of a partition. */

import type { FileHandle } from "node:fs/promises";
import { type CopyBatch, copiesIn } from "../../artifact/account-copies.ts";
import { compressionOf } from "../../format/artifact.ts";
import { serveReadBytes } from "../../limits/serve.ts";
import { readOpenArtifact } from "../../store/artifact-file.ts";
import type { VerifiedFile } from "../verified-file.ts";
import { seekAccount } from "./seek-account.ts";

/** Inclusive addresses. */
export interface AddressRange {
  readonly low: string;
  readonly high: string;
}

/**
 * Yields the copies in a range and some beside it, those that one read gives at a time. Of a plain artifact, little more than the range is read; of a compressed one, everything
 * before it as well.
 *
 * @throws HttpError 503 if the file is not the one that was verified, also if it is changed while it is read
 */
export async function* copiesAround(
  file: VerifiedFile,
  { low, high }: AddressRange,
): AsyncGenerator<CopyBatch, void, void> {
  const handle = await file.open();
  try {
    const compression = compressionOf(file.name);
    const start = compression === "none" ? await seekAccount(handle, low) : 0;
    const chunks = compression === "none" ? bytesFrom(handle, start) : readOpenArtifact(handle, compression);
    for await (const batch of copiesIn({ path: file.path, chunks, isContinued: start > 0 })) {
      const last = batch.copies.at(-1)?.accountId;
      if (last !== undefined && last >= low) yield batch;
      if (last !== undefined && last > high) break;
    }
    // A read that ends may have closed the file: its path is compared.
    await file.requireSame();
  } finally {
    await handle.close();
  }
}

async function* bytesFrom(handle: FileHandle, start: number): AsyncGenerator<Buffer, void, void> {
  for (let position = start; ; ) {
    const buffer = Buffer.allocUnsafeSlow(serveReadBytes);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
