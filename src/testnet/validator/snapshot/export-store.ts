/**
 * The exports that a validator serves: a directory with the newest few. An export is written to a working directory,
 * checked, and published by one rename. Everything else in the directory is a leftover of a killed validator, and is
 * removed when the store is opened.
 */

import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../errors/snapshot-error.ts";
import { artifactFile, partitionKey, partitionOfKey } from "../../../format/artifact.ts";
import { MANIFEST_FILE } from "../../../format/manifest.ts";
import { snapshotName } from "../../../format/snapshot-names.ts";
import { asCycle, type Cycle, type HashHex, type Partition } from "../../../protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../../protocol/crypto/hash.ts";
import { makeDirectories, syncPath } from "../../../store/durable.ts";
import { scanArtifact } from "../../../store/scan-artifact.ts";
import { parseAs, parseJson } from "../../../wire/parse.ts";
import * as z from "../../../wire/schema.ts";
import { ExportedAccounts } from "./exported-accounts.ts";

export interface HeldExport {
  readonly cycle: Cycle;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly accounts: ExportedAccounts;
}

const manifestSchema = z.object({
  blockHeight: z.int().transform(asCycle),
  artifacts: z.array(z.tuple([z.string().regex(/^partition\.(-1|\d{1,5})$/), z.string()])),
  snapshot: z.looseObject({ timestamp: z.int() }),
});

export class ExportStore {
  readonly #directory: string;
  readonly #keepMax: number;
  /** In ascending order of time. */
  readonly #held: HeldExport[] = [];

  private constructor(directory: string, keepMax: number) {
    this.#directory = directory;
    this.#keepMax = keepMax;
  }

  /** @param keepMax the number of newest exports to keep */
  static async open(directory: string, keepMax: number): Promise<ExportStore> {
    const store = new ExportStore(directory, keepMax);
    await makeDirectories(directory);
    for (const name of await readdir(directory)) await store.#load(name);
    store.#held.sort((a, b) => a.timestamp - b.timestamp);
    store.#dropOldest();
    return store;
  }

  get held(): readonly HeldExport[] {
    return this.#held;
  }

  /** Returns the directory in which an export is written. */
  workingDirectory(timestamp: number): string {
    return join(this.#directory, `.${snapshotName(timestamp)}.partial`);
  }

  /**
   * Publishes a written export if it has the hashes that its validator computed.
   *
   * @throws Error where a hash differs
   */
  async retrieve(
    { cycle, timestamp }: { readonly cycle: Cycle; readonly timestamp: number },
    hashes: ReadonlyMap<Partition, HashHex>,
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

  /** Removes the working directory of an export. */
  async discard(timestamp: number): Promise<void> {
    await remove(this.workingDirectory(timestamp));
  }

  async #load(name: string): Promise<void> {
    const place = join(this.#directory, name);
    const held = /^snapshot-\d+$/.test(name) ? await readHeld(place).catch(() => undefined) : undefined;
    if (held === undefined) await remove(place);
    else this.#held.push(held);
  }

  /** Drops the oldest exports at once, and removes each when the last response from it has ended; after a kill, at the
   *  next start. */
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
  const partitions = manifest.artifacts.map(([key]) => partitionOfKey(key));
  return {
    cycle: manifest.blockHeight,
    timestamp: manifest.snapshot.timestamp,
    accounts: new ExportedAccounts(place, ascending(partitions)),
  };
}

/** Retries, since the export process of a killed validator may write until it notices. */
async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  } catch (error) {
    throw new Error(`cannot remove ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function ascending(partitions: Iterable<Partition>): Partition[] {
  return [...partitions].sort((a, b) => a - b);
}
