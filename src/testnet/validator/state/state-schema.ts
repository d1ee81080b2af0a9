/**
 * The tables of a validator's database: its accounts, its position in the transaction log, the agreed hashes and its own
 * messages. `partitions` and `network` are those of the partition gossip's design.
 */

import type { SqliteFormat } from "../../../store/hash-database/sqlite-format.ts";

export const stateFormat: SqliteFormat = {
  name: "validator's database",
  /** "stat" as a number. */
  applicationId: 0x73746174,
  version: 1,
  schema: `
    -- partitionId: −1 for global accounts. data: canonical text, also of a string.
    CREATE TABLE accounts (
      partitionId INTEGER NOT NULL,
      accountId TEXT NOT NULL,
      stateId TEXT NOT NULL,
      timestamp INTEGER NOT NULL,
      data TEXT NOT NULL,
      PRIMARY KEY (partitionId, accountId)
    ) WITHOUT ROWID;
    -- position: in the transaction log, in bytes. isBoundary: no transaction has been applied since the end of the cycle.
    -- isMarked: the state of the end of the cycle is exported.
    CREATE TABLE progress (
      id INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
      cycleNumber INTEGER NOT NULL,
      isBoundary INTEGER NOT NULL,
      isMarked INTEGER NOT NULL,
      position INTEGER NOT NULL,
      startMs INTEGER NOT NULL,
      durationMs INTEGER NOT NULL
    );
    CREATE TABLE partitions (
      partitionId INTEGER NOT NULL,
      cycleNumber INTEGER NOT NULL,
      hash TEXT NOT NULL,
      PRIMARY KEY (cycleNumber, partitionId)
    ) WITHOUT ROWID;
    CREATE TABLE network (
      cycleNumber INTEGER NOT NULL PRIMARY KEY,
      hash TEXT NOT NULL
    );
    -- The own gossip messages, which are sent again after a restart.
    CREATE TABLE votes (
      cycleNumber INTEGER NOT NULL,
      place INTEGER NOT NULL,
      message TEXT NOT NULL,
      PRIMARY KEY (cycleNumber, place)
    );
  `,
};
