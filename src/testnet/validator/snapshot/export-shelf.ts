/**
 * The exports that a validator serves from: a directory in which each has its place, the newest few. An export
 * is written aside, checked, and takes its place in one step; whatever else lies there is left over from a
 * validator that was killed, and is removed when the next one opens the shelf.
 */

import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../errors/snapshot-error.ts";
import { artifactFile, partitionKey } from "../../../format/artifact.ts";
import { MANIFEST_FILE } from "../../../format/manifest.ts";
import { snapshotName } from "../../../format/snapshot-names.ts";
import { DEFAULT_HASH_KEY } from "../../../protocol/crypto/hash.ts";
import { makeDirectories, syncPath } from "../../../store/durable.ts";
import { scanArtifact } from "../../../store/scan-artifact.ts";
import { parseAs, parseJson } from "../../../wire/parse.ts";
import * as z from "../../../wire/schema.ts";
import { ExportedAccounts } from "./exported-accounts.ts";

export interface HeldExport {
  readonly cycle: number;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly accounts: ExportedAccounts;
}

const manifestSchema = z.object({
  blockHeight: z.int(),
  artifacts: z.array(z.tuple([z.string().regex(/^partition\.(-1|\d{1,5})$/), z.string()])),
  snapshot: z.looseObject({ timestamp: z.int() }),
});

export class ExportShelf {
  readonly #directory: string;
  readonly #keepMax: number;
  /** In ascending order of time. */
  readonly #held: HeldExport[] = [];

  private constructor(directory: string, keepMax: number) {
    this.#directory = directory;
    this.#keepMax = keepMax;
  }

  /** @param keepMax how many exports are kept, the newest */
  static async open(directory: string, keepMax: number): Promise<ExportShelf> {
    const shelf = new ExportShelf(directory, keepMax);
    await makeDirectories(directory);
    for (const name of await readdir(directory)) await shelf.#takeUp(name);
    shelf.#held.sort((a, b) => a.timestamp - b.timestamp);
    shelf.#dropOldest();
    return shelf;
  }

  get held(): readonly HeldExport[] {
    return this.#held;
  }

  /** Where an export is written. */
  workingDirectory(timestamp: number): string {
    return join(this.#directory, `.${snapshotName(timestamp)}.partial`);
  }

  /**
   * Puts an export that is done in its place, if it has the hashes that its validator has found itself.
   *
   * @throws Error where it has not
   */
  async retrieve(
    { cycle, timestamp }: { readonly cycle: number; readonly timestamp: number },
    hashes: ReadonlyMap<number, string>,
  ): Promise<HeldExport> {
    const working = this.workingDirectory(timestamp);
    for (const [partition, hash] of hashes) {
      const artifact = join(working, artifactFile(partition, "none"));
      const scan = await scanArtifact(artifact, "none", DEFAULT_HASH_KEY);
      if (scan.hash === hash) continue;
      throw new Error(`${partitionKey(partition)} was exported as ${scan.hash}, but hashed as ${hash}`);
    }
    const place = join(this.#directory, snapshotName(timestamp));
    await rename(working, place);
    await syncPath(this.#directory);
    const held = { cycle, timestamp, accounts: new ExportedAccounts(place, ascending(hashes.keys())) };
    this.#held.push(held);
    this.#dropOldest();
    return held;
  }

  /** Removes what there is of an export that has not been retrieved. */
  async discard(timestamp: number): Promise<void> {
    await remove(this.workingDirectory(timestamp));
  }

  async #takeUp(name: string): Promise<void> {
    const place = join(this.#directory, name);
    const held = /^snapshot-\d+$/.test(name) ? await readHeld(place).catch(() => undefined) : undefined;
    if (held === undefined) await remove(place);
    else this.#held.push(held);
  }

  /** They are offered no more, and removed when no answer is read from them any more: whatever then is left is
   *  removed at the next start. */
  #dropOldest(): void {
    for (const { timestamp, accounts } of this.#held.splice(
      0,
      Math.max(0, this.#held.length - this.#keepMax),
    )) {
      const place = join(this.#directory, snapshotName(timestamp));
      void accounts
        .released()
        .then(() => remove(place))
        .catch(() => undefined);
    }
  }
}

async function readHeld(place: string): Promise<HeldExport> {
  const file = join(place, MANIFEST_FILE);
  const manifest = parseAs(manifestSchema, parseJson(await readFile(file, "utf8"), file), file);
  const partitions = manifest.artifacts.map(([key]) => Number(key.slice("partition.".length)));
  return {
    cycle: manifest.blockHeight,
    timestamp: manifest.snapshot.timestamp,
    accounts: new ExportedAccounts(place, ascending(partitions)),
  };
}

/** The process of a validator that was killed may still be about to notice, and to write. */
async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  } catch (error) {
    throw new Error(`cannot remove ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function ascending(partitions: Iterable<number>): number[] {
  return [...partitions].sort((a, b) => a - b);
}
