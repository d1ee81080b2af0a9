/** Writes an artifact of a mirror, or what follows its beginning, as it arrives: hashed and counted, and not parsed. */

import { constants } from "node:fs";
import { type FileHandle, open, rm, truncate } from "node:fs/promises";
import { diskError } from "../errors/snapshot-error.ts";
import { AccountIds } from "../format/account-ids.ts";
import type { HashHex } from "../protocol/brands.ts";
import { RunningHash } from "../protocol/crypto/hash.ts";

/** An existing file, or a link, is not written to. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
const FILE_MODE = 0o644;

export class IncomingArtifact {
  readonly path: string;
  readonly #hash: RunningHash;
  readonly #ids = new AccountIds();
  #handle: FileHandle | undefined;
  #bytes = 0;

  constructor(path: string, hashKey: string) {
    this.path = path;
    this.#hash = new RunningHash(hashKey);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get accounts(): number {
    return this.#ids.count;
  }

  /** @throws SnapshotError `disk` */
  async write(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    this.#ids.push(chunk);
    this.#bytes += chunk.length;
    await this.#withDiskErrors(async () => {
      this.#handle ??= await open(this.path, NEW_FILE, FILE_MODE);
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await this.#handle.write(chunk, done);
        done += bytesWritten;
      }
    });
  }

  /** Ends the file, which exists even without content, and returns the hash of what was written. */
  async close(): Promise<HashHex> {
    await this.#withDiskErrors(async () => {
      this.#handle ??= await open(this.path, NEW_FILE, FILE_MODE);
      await this.#handle.close();
    });
    this.#handle = undefined;
    return this.#hash.digest();
  }

  /** Keeps so many bytes of the closed file. */
  async cut(bytes: number): Promise<void> {
    await this.#withDiskErrors(() => truncate(this.path, bytes));
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.#handle?.close().catch(() => undefined);
    this.#handle = undefined;
    await rm(this.path, { force: true });
  }

  async #withDiskErrors(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw diskError(`cannot write ${this.path}`, error);
    }
  }
}
