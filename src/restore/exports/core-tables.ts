/** The tables that a core of before 2024-11 reads as its old data (core 2.15, `src/storage/index.ts`). */

import type { ForeignDatabase } from "../../store/foreign-database.ts";
import type { SqlValue } from "../../store/hash-database/sqlite-file.ts";
import type { CoreState } from "./export-form.ts";

/** The columns of a cycle record. A record may lack some, so all but the key may be NULL. */
const cycleColumns: readonly (readonly [name: string, type: string])[] = [
  ["networkId", "TEXT"],
  ["counter", "BIGINT NOT NULL UNIQUE PRIMARY KEY"],
  ...[
    "target",
    "safetyNum",
    "maxSyncTime",
    "start",
    "duration",
    "active",
    "syncing",
    "desired",
    "expired",
  ].map((name) => [name, "BIGINT"] as const),
  ["safetyMode", "BOOLEAN"],
  ...["mode", "networkStateHash", "networkConfigHash", "previous", "marker", "nodeListHash"].map(
    (name) => [name, "TEXT"] as const,
  ),
  ...["archiverListHash", "standbyNodeListHash"].map((name) => [name, "TEXT"] as const),
  ...["networkDataHash", "networkReceiptHash", "networkSummaryHash", "certificate", "joined"].map(
    (name) => [name, "JSON"] as const,
  ),
  ...["joinedArchivers", "leavingArchivers", "joinedConsensors", "refreshedArchivers"].map(
    (name) => [name, "JSON"] as const,
  ),
  ...["refreshedConsensors", "activated", "activatedPublicKeys", "removed", "appRemoved", "returned"].map(
    (name) => [name, "JSON"] as const,
  ),
  ...["lost", "lostSyncing", "refuted", "apoptosized", "standbyAdd", "standbyRemove", "lostArchivers"].map(
    (name) => [name, "JSON"] as const,
  ),
  ...["refutedArchivers", "removedArchivers", "startedSyncing", "lostAfterSelection"].map(
    (name) => [name, "JSON"] as const,
  ),
];

export const coreTables = `
  CREATE TABLE accountsCopy (accountId VARCHAR(255) NOT NULL, cycleNumber BIGINT NOT NULL, data JSON NOT NULL,
    timestamp BIGINT NOT NULL, hash VARCHAR(255) NOT NULL, isGlobal BOOLEAN NOT NULL, PRIMARY KEY (accountId, cycleNumber));
  CREATE TABLE partitions (partitionId VARCHAR(255) NOT NULL, cycleNumber BIGINT NOT NULL, hash VARCHAR(255) NOT NULL,
    PRIMARY KEY (partitionId, cycleNumber));
  CREATE TABLE network (cycleNumber BIGINT NOT NULL, hash VARCHAR(255) NOT NULL, PRIMARY KEY (cycleNumber));
  CREATE TABLE cycles (${cycleColumns.map(([name, type]) => `${name} ${type}`).join(", ")});`;

/** Inserts the hashes, and the one record that a core reads: that of the cycle after the snapshot's. */
export function insertCoreState(
  database: ForeignDatabase,
  { cycle, hashes, networkHash, nextRecord }: CoreState,
): void {
  const insertPartition = database.prepare("INSERT INTO partitions VALUES (?, ?, ?)");
  for (const [partition, hash] of hashes) insertPartition([String(partition), cycle, hash]);
  database.prepare("INSERT INTO network VALUES (?, ?)")([cycle, networkHash]);
  if (nextRecord === null) return;
  const present = cycleColumns.filter(([name]) => nextRecord[name] !== undefined).map(([name]) => name);
  const places = present.map(() => "?").join(", ");
  database.prepare(`INSERT INTO cycles (${present.join(", ")}) VALUES (${places})`)(
    present.map((name) => sqlValueOf(nextRecord[name])),
  );
}

function sqlValueOf(value: unknown): SqlValue {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "string" || typeof value === "number" || value === null
    ? value
    : JSON.stringify(value);
}

/** Returns what is wrong with the hashes of a database that is read back. */
export function problemOfCoreState(
  database: ForeignDatabase,
  { cycle, hashes, networkHash, nextRecord }: CoreState,
): string | undefined {
  const rows = [...database.rows("SELECT partitionId, cycleNumber, hash FROM partitions ORDER BY rowid")];
  const areEqual = hashes.every(([partition, hash], index) => {
    const row = rows[index];
    return (
      row?.string("partitionId") === String(partition) &&
      row.count("cycleNumber") === cycle &&
      row.string("hash") === hash
    );
  });
  if (!areEqual || rows.length !== hashes.length) return "the table of partition hashes differs";
  const network = [...database.rows("SELECT cycleNumber, hash FROM network")];
  const [own] = network;
  if (network.length !== 1 || own?.count("cycleNumber") !== cycle || own.string("hash") !== networkHash) {
    return "the table of network hashes differs";
  }
  const others = database.first("SELECT count(*) AS n FROM accountsCopy WHERE cycleNumber IS NOT ?", cycle);
  if (others?.count("n") !== 0) return "accounts of other cycles are in it";
  const records = [...database.rows("SELECT counter FROM cycles")].map((row) => row.count("counter"));
  const expected = nextRecord === null ? [] : [nextRecord["counter"]];
  return records.join() === expected.join() ? undefined : "the table of cycle records differs";
}
