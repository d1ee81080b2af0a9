/**
 * A file of a verified snapshot. Every use compares its identity with that of the file that was verified. A file with
 * another identity is hashed again: it is used again if its bytes are the same, as those of a file that was copied or
 * linked, and its snapshot is no longer served if they differ.
 */

import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { LimitFunction } from "p-limit";
import { messageOf, systemCodeOf } from "../errors/snapshot-error.ts";
import { HttpError } from "../http-server/http-error.ts";
import { serveReadBytes, serveRetryAfterSeconds } from "../limits/serve.ts";
import type { HashHex } from "../protocol/brands.ts";
import { RunningHash } from "../protocol/crypto/hash.ts";
import { openRegularFile } from "../store/regular-file.ts";
import {
  type FileIdentity,
  identityOf,
  identityOfDescriptor,
  identityOfHandle,
  isSameFile,
} from "./file-identity.ts";

export interface VerifiedFileParts {
  readonly directory: string;
  /** Its path in the snapshot, such as `evidence/gossip.jsonl`. */
  readonly name: string;
  /** The hash of its bytes. */
  readonly hash: HashHex;
  /** Of the file that was verified. */
  readonly identity: FileIdentity;
}

export interface FileWatch {
  readonly hashKey: string;
  /** Bounds the files that are hashed again at once. */
  readonly hashing: LimitFunction;
  /** Called when the file is no longer as verified, or is so again. */
  readonly changed: () => void;
}

export class VerifiedFile {
  readonly name: string;
  readonly path: string;
  readonly hash: HashHex;
  readonly #watch: FileWatch;
  #identity: FileIdentity;
  /** The identity of the file that was hashed, and is wrong. */
  #wrong: FileIdentity | undefined;
  #problem: string | undefined;
  #checking: Promise<void> | undefined;

  constructor({ directory, name, hash, identity }: VerifiedFileParts, watch: FileWatch) {
    this.name = name;
    this.path = join(directory, name);
    this.hash = hash;
    this.#identity = identity;
    this.#watch = watch;
  }

  /** Bytes. */
  get size(): number {
    return Number(this.#identity.size);
  }

  /** Why the file is not the one that was verified. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whether the file has changed in some way, and is being hashed. */
  get isChecking(): boolean {
    return this.#checking !== undefined;
  }

  /**
   * Opens the file that was verified. The caller closes it.
   *
   * @throws HttpError 503 if the file is not known to be the one that was verified
   */
  async open(): Promise<FileHandle> {
    let handle: FileHandle;
    try {
      handle = await openRegularFile(this.path);
    } catch (error) {
      if (!isOfPath(error)) throw error;
      throw this.#suspect();
    }
    try {
      if (isSameFile(await identityOfHandle(handle), this.#identity)) return handle;
      throw this.#suspect();
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Requires that an open file is the one that was verified.
   *
   * @throws HttpError 503
   */
  requireDescriptor(descriptor: number): void {
    if (!isSameFile(identityOfDescriptor(descriptor), this.#identity)) throw this.#suspect();
  }

  /**
   * Reads a small file.
   *
   * @throws HttpError 503 if it is not known to be the one that was verified
   */
  async readWhole(bytesMax: number): Promise<Buffer> {
    const handle = await this.open();
    try {
      if (this.size > bytesMax) throw new Error(`${this.name} has more than ${bytesMax} bytes`);
      const bytes = await handle.readFile();
      this.requireDescriptor(handle.fd);
      return bytes;
    } finally {
      await handle.close();
    }
  }

  /**
   * Requires that the path leads to the file that was verified.
   *
   * @throws HttpError 503
   */
  async requireSame(): Promise<void> {
    const identity = await identityOf(this.path).catch(() => undefined);
    if (identity === undefined || !isSameFile(identity, this.#identity)) throw this.#suspect();
  }

  /** Compares the file with the one that was verified, and hashes it if it differs. Resolves when that is done. */
  async check(): Promise<void> {
    let identity: FileIdentity;
    try {
      identity = await identityOf(this.path);
    } catch (error) {
      return this.#settle(describe(error), undefined);
    }
    if (isSameFile(identity, this.#identity)) return this.#settle(undefined, undefined);
    if (this.#wrong !== undefined && isSameFile(identity, this.#wrong)) return;
    await this.#hashAgain();
  }

  #suspect(): HttpError {
    void this.#hashAgain();
    return new HttpError(503, `${this.name} has changed on the disk, and is being checked`, {
      retryAfterSeconds: serveRetryAfterSeconds,
    });
  }

  async #hashAgain(): Promise<void> {
    this.#checking ??= this.#watch
      .hashing(() => this.#compare())
      .finally(() => {
        this.#checking = undefined;
      });
    await this.#checking;
  }

  /** Never throws. */
  async #compare(): Promise<void> {
    try {
      const handle = await openRegularFile(this.path);
      try {
        const before = await identityOfHandle(handle);
        const hash = await hashOf(handle, this.#watch.hashKey);
        // A file that is being written is wrong for now; its next identity is examined again.
        if (!isSameFile(before, await identityOfHandle(handle))) return this.#settle("it is being written");
        if (hash !== this.hash) return this.#settle(`its hash is ${hash}, not ${this.hash}`, before);
        this.#identity = before;
        this.#settle(undefined);
      } finally {
        await handle.close();
      }
    } catch (error) {
      this.#settle(describe(error));
    }
  }

  #settle(problem: string | undefined, wrong?: FileIdentity): void {
    this.#wrong = wrong;
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#watch.changed();
  }
}

/** Returns whether an error says something about the file, and not about this process, such as too many open files. */
function isOfPath(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code !== "EMFILE" && code !== "ENFILE";
}

function describe(error: unknown): string {
  return systemCodeOf(error) === "ENOENT" ? "it is missing" : messageOf(error);
}

/** Hashes an open file from its beginning. */
async function hashOf(handle: FileHandle, hashKey: string): Promise<HashHex> {
  const hash = new RunningHash(hashKey);
  const buffer = Buffer.allocUnsafe(serveReadBytes);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest();
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}
