/** A published snapshot that was verified, and is served as long as its files are the ones that were verified. */

import pLimit from "p-limit";
import { HttpError } from "../http-server/http-error.ts";
import { serveRetryAfterSeconds } from "../limits/serve.ts";
import type { Cycle, HashHex, Partition } from "../protocol/brands.ts";
import type { SnapshotSummary } from "./reporter.ts";
import { VerifiedFile, type VerifiedFileParts } from "./verified-file.ts";

/** What the validators have agreed on. */
export interface AgreedHashes {
  readonly networkHash: HashHex;
  /** 64 lower-case hex digits. */
  readonly hashKey: string;
  /** The hash of each partition, −1 first. */
  readonly partitions: ReadonlyMap<Partition, HashHex>;
}

export interface SnapshotFacts {
  /** `snapshot-<timestamp>`, whatever its directory is called. */
  readonly name: string;
  readonly directory: string;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly cycle: Cycle;
  /** Without the global partition: this is the number of nodes. */
  readonly numPartitions: number;
  /** Identifies the snapshot: snapshots with one digest have the same accounts. */
  readonly digest: string;
  readonly agreed: AgreedHashes;
  /** The accounts and the bytes of all partitions. */
  readonly size: { readonly accounts: number; readonly bytes: number };
}

/** The artifact of a partition. */
export interface ServedArtifact {
  readonly partition: Partition;
  readonly file: VerifiedFile;
}

export interface SnapshotParts {
  readonly facts: SnapshotFacts;
  /** Every file of the snapshot. */
  readonly files: readonly VerifiedFileParts[];
  /** The file of each partition's artifact, −1 first. */
  readonly artifacts: readonly (readonly [Partition, string])[];
}

/** Files of one snapshot that are hashed again at once. */
const hashedAtOnce = 1;

export class ServedSnapshot {
  readonly facts: SnapshotFacts;
  /** By path in the snapshot. */
  readonly files: ReadonlyMap<string, VerifiedFile>;
  /** Partition −1 first. */
  readonly artifacts: readonly ServedArtifact[];
  /** Called when the snapshot is no longer as verified, or is so again. */
  onChange: (snapshot: ServedSnapshot) => void = () => undefined;
  #problem: string | undefined;

  constructor({ facts, files, artifacts }: SnapshotParts) {
    this.facts = facts;
    const hashing = pLimit(hashedAtOnce);
    const watch = { hashKey: facts.agreed.hashKey, hashing, changed: () => this.#update() };
    this.files = new Map(files.map((parts) => [parts.name, new VerifiedFile(parts, watch)]));
    this.artifacts = artifacts.map(([partition, name]) => ({ partition, file: this.file(name) }));
  }

  get name(): string {
    return this.facts.name;
  }

  get summary(): SnapshotSummary {
    const { name, directory, timestamp, cycle, digest, agreed } = this.facts;
    return { name, directory, timestamp, cycle, networkHash: agreed.networkHash, digest };
  }

  /** Why the snapshot is not served; `undefined` while it is as verified. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whether a file has changed in some way, and is being hashed. */
  get isChecking(): boolean {
    return [...this.files.values()].some((file) => file.isChecking);
  }

  /**
   * Requires that no file is known to differ from the one that was verified. To read a file, call its `open`.
   *
   * @throws HttpError 503
   */
  requireIntact(): void {
    if (this.#problem === undefined) return;
    throw new HttpError(503, `${this.name} is no longer as verified: ${this.#problem}`, {
      retryAfterSeconds: serveRetryAfterSeconds,
    });
  }

  /** Compares every file with the one that was verified. Resolves when those that differ have been hashed. */
  async check(): Promise<void> {
    for (const file of this.files.values()) await file.check();
  }

  /** @throws RangeError if the snapshot has no such file */
  file(name: string): VerifiedFile {
    const file = this.files.get(name);
    if (file === undefined) throw new RangeError(`${this.name} has no file ${name}`);
    return file;
  }

  #update(): void {
    const wrong = [...this.files.values()].find(({ problem }) => problem !== undefined);
    const problem = wrong === undefined ? undefined : `${wrong.name}: ${wrong.problem}`;
    const isNews = (problem === undefined) !== (this.#problem === undefined);
    this.#problem = problem;
    if (isNews) this.onChange(this);
  }
}
