/**
 * The tables of a validator's database: all accounts of the network, its nodes, the position in the transaction log, the
 * agreed hashes and its own messages. A partition is a range of addresses, which the geometry of its cycle decides.
 * `partitions` and `network` are those of the partition gossip's design.
 */

import type { SqliteFormat } from "../../../store/hash-database/sqlite-format.ts";

export const stateFormat: SqliteFormat = {
  name: "validator's database",
  /** "stat" as a number. */
  applicationId: 0x73746174,
  version: 2,
  schema: `
    -- data: canonical text, also of a string.
    CREATE TABLE accounts (
      isGlobal INTEGER NOT NULL,
      accountId TEXT NOT NULL,
      stateId TEXT NOT NULL,
      timestamp INTEGER NOT NULL,
      data TEXT NOT NULL,
      PRIMARY KEY (isGlobal, accountId)
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
    -- The numbers of the records in which the node joined, was activated and was removed.
    CREATE TABLE nodes (
      id TEXT NOT NULL PRIMARY KEY,
      publicKey TEXT NOT NULL,
      url TEXT NOT NULL,
      joined INTEGER NOT NULL,
      activated INTEGER,
      removed INTEGER
    ) WITHOUT ROWID;
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
