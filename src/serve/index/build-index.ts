/**
 * Builds the index of a verified snapshot: one pass over its artifacts, then SQLite sorts in files. What is read is hashed
 * again, so the index describes exactly the accounts on which the validators agreed.
 */

import { type AccountCopy, type CopyBatch, copiesIn, copySeparator } from "../../artifact/account-copies.ts";
import { SnapshotError, systemCodeOf } from "../../errors/snapshot-error.ts";
import { compressionOf } from "../../format/artifact.ts";
import { restoreProgressAccounts, unfitAccountsShownMax } from "../../limits/restore.ts";
import { indexCacheKiB } from "../../limits/serve-archiver.ts";
import { hashText, RunningHash } from "../../protocol/crypto/hash.ts";
import { readArtifact } from "../../store/artifact-file.ts";
import { syncPath } from "../../store/durable.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";
import type { SqlValue } from "../../store/hash-database/sqlite-file.ts";
import { counted } from "../../text/counted.ts";
import { LargestAccounts, requirePages } from "./crowded-pages.ts";
import { dataTextOf } from "./data-text.ts";
import {
  answeredText,
  digestBytes,
  indexApplicationId,
  indexIndexes,
  indexTables,
  indexVersion,
  slotOf,
} from "./index-format.ts";

/** What an index is made of. */
export interface IndexedSnapshot {
  /** The digest of the snapshot, 64 hex digits. */
  readonly digest: string;
  readonly hashKey: string;
  /** In order of partition, with the agreed hash of each. */
  readonly artifacts: readonly { readonly path: string; readonly hash: string }[];
}

/**
 * @param path a file that does not exist
 * @param onProgress called with the number of accounts so far
 * @throws SnapshotError `verification` if an artifact is not the agreed one; `unrestorable` if a validator could not receive
 *   an account; `disk`
 */
export async function buildIndex(
  path: string,
  snapshot: IndexedSnapshot,
  onProgress: (accounts: number) => void,
): Promise<number> {
  const use = { path, isReadOnly: false };
  const database = withSqliteErrors(use, () => ForeignDatabase.open(path));
  const run = (sql: string) => withSqliteErrors(use, () => database.exec(sql));
  // Without a file for what is sorted, SQLite holds it in memory; a second thread sorts.
  run(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA threads = 2;
    PRAGMA cache_size = -${indexCacheKiB}`);
  run(indexTables);
  run("BEGIN");
  const rows = new RowWriter(database, snapshot.hashKey);
  for (const [artifact, { path: file, hash }] of snapshot.artifacts.entries()) {
    const running = new RunningHash(snapshot.hashKey);
    const isCompressed = compressionOf(file) !== "none";
    // Behind the bracket of the list.
    let offset = 1;
    for await (const batch of copiesIn({ path: file, chunks: hashed(file, running) })) {
      const before = rows.accounts;
      withSqliteErrors(use, () => rows.add(batch, { artifact, offset, isCompressed }));
      offset += batch.bytes.length + 1;
      if (Math.floor(before / restoreProgressAccounts) < Math.floor(rows.accounts / restoreProgressAccounts))
        onProgress(rows.accounts);
    }
    if (running.digest() !== hash) throw notAgreed(file);
  }
  rows.requireFit();
  const identity = database.prepare("INSERT INTO snapshot VALUES (?, ?, ?)");
  withSqliteErrors(use, () =>
    identity([Buffer.from(snapshot.digest, "hex"), rows.accounts, Math.max(rows.newest, 0)]),
  );
  run("COMMIT");
  try {
    run(indexIndexes);
  } catch (error) {
    throw systemCodeOf(error)?.startsWith("SQLITE_CONSTRAINT") === true ? twice(error) : error;
  }
  requirePages(database, rows.largest);
  run(`PRAGMA application_id = ${indexApplicationId}; PRAGMA user_version = ${indexVersion}`);
  database.close();
  await syncPath(path);
  return rows.accounts;
}

/** Where copies are. */
interface BatchPlace {
  readonly artifact: number;
  /** In the plain text of the artifact. */
  readonly offset: number;
  readonly isCompressed: boolean;
}

/** Adds the rows of accounts, and collects what is wrong with them. */
class RowWriter {
  accounts = 0;
  /** The newest timestamp, in milliseconds. */
  newest = Number.NEGATIVE_INFINITY;
  readonly largest = new LargestAccounts();
  readonly #insert: (values: readonly SqlValue[]) => void;
  readonly #hashKey: string;
  readonly #unfit: string[] = [];
  #unfitCount = 0;

  constructor(database: ForeignDatabase, hashKey: string) {
    this.#insert = database.prepare("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#hashKey = hashKey;
  }

  add({ copies, bytes }: CopyBatch, place: BatchPlace): void {
    let start = 0;
    for (const copy of copies) {
      const end = endOfCopy(bytes, start);
      this.#addOne(copy, bytes.subarray(start, end), { ...place, offset: place.offset + start });
      start = end + 1;
    }
  }

  requireFit(): void {
    if (this.#unfitCount === 0) return;
    const details = [...this.#unfit];
    if (this.#unfitCount > details.length)
      details.push(`and ${counted(this.#unfitCount - details.length, "more account")}`);
    throw new SnapshotError(
      "unrestorable",
      `restarting validators would not receive ${counted(this.#unfitCount, "account")}`,
      {
        details,
        hint: "The snapshot holds what the validators agreed on: find out which application wrote these accounts.",
      },
    );
  }

  #addOne(copy: AccountCopy, bytes: Buffer, { artifact, offset, isCompressed }: BatchPlace): void {
    const { accountId, timestamp, isGlobal } = copy;
    this.accounts++;
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
      this.#unfitCount++;
      if (this.#unfit.length < unfitAccountsShownMax)
        this.#unfit.push(`${accountId}: its timestamp ${timestamp} is not a whole number from 0 on`);
      return;
    }
    this.newest = Math.max(this.newest, timestamp);
    const { form, text } = dataTextOf(copy.data);
    const length = Buffer.byteLength(answeredText(copy, text)) + 1;
    this.largest.add(length);
    const digest = Buffer.from(hashText(bytes, this.#hashKey), "hex").subarray(0, digestBytes);
    this.#insert([
      ...[Buffer.from(accountId, "hex"), slotOf(accountId), timestamp, isGlobal, form, length],
      ...[artifact, offset, bytes.length, digest, isCompressed ? bytes : null],
    ]);
  }
}

/** Returns the end of the copy that begins at `start`. */
function endOfCopy(bytes: Buffer, start: number): number {
  const next = bytes.indexOf(copySeparator, start);
  return next < 0 ? bytes.length : next;
}

/** Yields the plain text of an artifact, and hashes it. */
async function* hashed(path: string, hash: RunningHash): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of readArtifact(path, compressionOf(path))) {
    hash.update(chunk);
    yield chunk;
  }
}

function notAgreed(path: string): SnapshotError {
  return new SnapshotError("verification", `${path} does not have the agreed hash`, {
    hint: "It changed after it was verified. Find out what writes to the directory, and run again.",
  });
}

function twice(cause: unknown): SnapshotError {
  return new SnapshotError("unrestorable", "the snapshot has an account twice", {
    cause,
    hint: "An account that is global and in a partition as well cannot be answered as one.",
  });
}
