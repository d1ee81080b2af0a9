/**
 * Appends the record that says that the network is over, as the archiver's own script does
 * (`scripts/create_shut_down_cycle.ts`): an archiver whose newest record has the mode `shutdown` waits for the first
 * validator of a restarted network.
 */

import { existsSync } from "node:fs";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { shutdownRecordBytesMax } from "../../limits/restore.ts";
import { canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import { curve25519Key } from "../../protocol/crypto/curve25519-key.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import { cycleMarker } from "../../protocol/cycle-record.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";
import { storedText } from "../../store/hash-database/stored-text.ts";
import { parseJson } from "../../wire/parse.ts";

/** An archiver that the restarted network asks. */
export interface ArchiverAtShutdown {
  readonly ip: string;
  readonly port: number;
  /** 64 hex digits. */
  readonly publicKey: string;
}

export interface AppendOrder {
  readonly kind: "append-shutdown";
  /** The archiver's database of cycle records. */
  readonly path: string;
  readonly archivers: readonly ArchiverAtShutdown[];
  /** The hash of the network's list of transactions; null if it is empty. */
  readonly txListHash: string | null;
  readonly hashKey: string;
}

export interface Appended {
  readonly counter: number;
  readonly marker: string;
  /** Whether the newest record already was one of a shutdown, so that nothing was written. */
  readonly wasShutdown: boolean;
}

/** An archiver has an empty list of transactions unless one is restored. */
const emptyTransactionList: readonly unknown[] = [];

/**
 * Runs in a process of its own. The database has no log afterwards; the archiver turns it on again when it starts.
 *
 * @throws SnapshotError `configuration` if the database has no usable record, `disk`
 */
export function appendShutdown(order: AppendOrder): Appended {
  const { path } = order;
  requireCycles(path);
  return withSqliteErrors({ path, isReadOnly: false }, () => {
    const database = ForeignDatabase.open(path);
    database.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL");
    const newest = newestRecord(database, path);
    const { counter, marker, mode } = newest;
    if (typeof counter !== "number" || typeof marker !== "string")
      throw unusable(path, "its newest record has no marker");
    if (mode === "shutdown") return { counter, marker, wasShutdown: true };
    const record = shutdownRecord(newest, counter, order);
    const insert = database.prepare(
      "INSERT OR REPLACE INTO cycles (cycleMarker, counter, cycleRecord) VALUES (?, ?, ?)",
    );
    insert([record.marker, record.counter, canonicalTextOf(record)]);
    database.close();
    return { counter: record.counter, marker: record.marker, wasShutdown: false };
  });
}

/** @throws SnapshotError `configuration` if there is no database of cycle records */
export function requireCycles(path: string): void {
  if (!existsSync(path)) throw unusable(path, "it does not exist");
}

function newestRecord(database: ForeignDatabase, path: string): Record<string, unknown> {
  const select = `SELECT ${storedText("cycleRecord", shutdownRecordBytesMax)} FROM cycles ORDER BY counter DESC LIMIT 1`;
  const text = database.first(select)?.text("cycleRecord");
  if (text === undefined) throw unusable(path, "it has no cycle record");
  const record: unknown = parseJson(text, path);
  if (typeof record !== "object" || record === null)
    throw unusable(path, "its newest record is not an object");
  return record as Record<string, unknown>;
}

function shutdownRecord(
  newest: Record<string, unknown>,
  counter: number,
  { archivers, hashKey, txListHash }: AppendOrder,
): Record<string, unknown> & { readonly counter: number; readonly marker: string } {
  const { marker: previous, ...rest } = newest;
  const record = {
    ...rest,
    counter: counter + 1,
    mode: "shutdown",
    removed: ["all"],
    archiversAtShutdown: archivers.map((archiver) => ({
      ...archiver,
      curvePk: curve25519Key(archiver.publicKey),
    })),
    previous,
    lostArchivers: [],
    refutedArchivers: [],
    removedArchivers: [],
    standbyAdd: [],
    standbyRemove: [],
    txlisthash: txListHash ?? hashText(canonicalTextOf(emptyTransactionList), hashKey),
    txadd: [],
    txremove: [],
  };
  return { ...record, marker: cycleMarker(record, hashKey) };
}

function unusable(path: string, problem: string): SnapshotError {
  return new SnapshotError("configuration", `${path} cannot get a record of the shutdown: ${problem}`, {
    hint: "Start the archiver once, so that it reads the cycle records of the network, or leave out --append-shutdown.",
  });
}
