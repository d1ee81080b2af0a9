/**
 * Reads accounts from the artifacts of a snapshot. What is read must be the very bytes that were indexed, which are those
 * that the validators agreed on: a file that changed since is found out, and nothing of it is served.
 */

import type { FileHandle } from "node:fs/promises";
import { type AccountCopy, parseCopy } from "../../artifact/account-copies.ts";
import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import { HttpError } from "../../http-server/http-error.ts";
import { openArtifactsMax } from "../../limits/serve-archiver.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import type { AccountIndex, IndexedAccount } from "./account-index.ts";
import { digestBytes } from "./index-format.ts";

/** An artifact that was verified. */
export interface ArtifactFile {
  readonly path: string;
  /**
   * The caller closes the file.
   *
   * @throws HttpError 503 if it is not the one that was verified
   */
  open(): Promise<FileHandle>;
}

export class CopyReader {
  readonly #index: AccountIndex;
  readonly #artifacts: readonly ArtifactFile[];
  readonly #hashKey: string;
  /** The artifacts in use and the last ones used, the latest last. */
  readonly #open = new Map<number, OpenArtifact>();

  /** @param artifacts those that were indexed, in the same order */
  constructor(index: AccountIndex, artifacts: readonly ArtifactFile[], hashKey: string) {
    this.#index = index;
    this.#artifacts = artifacts;
    this.#hashKey = hashKey;
  }

  /** @throws HttpError 503, or SnapshotError `verification`, if the artifact changed or cannot be read */
  async read(account: IndexedAccount): Promise<AccountCopy> {
    const { place, accountId, timestamp, digest } = account;
    const path = this.#artifacts[place.artifact]?.path ?? this.#index.path;
    let bytes: Buffer;
    try {
      bytes = place.isInIndex ? this.#index.copyAt(place) : await this.#readAt(account);
    } catch (error) {
      throw error instanceof HttpError ? error : changed(path, accountId, messageOf(error), error);
    }
    const found = Buffer.from(hashText(bytes, this.#hashKey), "hex").subarray(0, digestBytes);
    if (!found.equals(digest)) throw changed(path, accountId, "it is another one");
    const copy = parseCopy(path, bytes);
    if (copy.accountId === accountId && copy.timestamp === timestamp) return copy;
    throw changed(path, accountId, "it is another one");
  }

  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map(async ({ handle }) => await (await handle).close()));
  }

  async #readAt({ place: { artifact, offset, length } }: IndexedAccount): Promise<Buffer> {
    const open = this.#openArtifact(artifact);
    open.readers++;
    try {
      const bytes = Buffer.allocUnsafe(length);
      const { bytesRead } = await (await open.handle).read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    } finally {
      open.readers--;
    }
  }

  #openArtifact(artifact: number): OpenArtifact {
    const known = this.#open.get(artifact);
    const file = this.#artifacts[artifact];
    if (file === undefined) throw new Error("the snapshot has no such artifact");
    const open = known ?? { handle: file.open(), readers: 0 };
    // A failed attempt is not kept.
    if (known === undefined) open.handle.catch(() => this.#open.delete(artifact));
    this.#open.delete(artifact);
    this.#open.set(artifact, open);
    this.#closeUnused();
    return open;
  }

  #closeUnused(): void {
    for (const [artifact, { handle, readers }] of this.#open) {
      if (this.#open.size <= openArtifactsMax) return;
      if (readers > 0) continue;
      this.#open.delete(artifact);
      void handle.then((opened) => opened.close()).catch(() => undefined);
    }
  }
}

interface OpenArtifact {
  readonly handle: Promise<FileHandle>;
  readers: number;
}

function changed(path: string, accountId: string, problem: string, cause?: unknown): SnapshotError {
  return new SnapshotError("verification", `cannot serve the account ${accountId} from ${path}: ${problem}`, {
    cause,
    hint: "The snapshot changed after it was verified. Find out what writes to it, and start again.",
  });
}
