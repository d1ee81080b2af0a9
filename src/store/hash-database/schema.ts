/**
 * The tables of the hash database. `partitions` and `network` are those of validators, so that programs that read a
 * validator's hashes can read this database.
 */

import type { SqliteFormat } from "./sqlite-format.ts";

export const hashFormat: SqliteFormat = {
  name: "hash database",
  /** "snap" in ASCII. */
  applicationId: 0x736e6170,
  version: 1,
  schema: `
    CREATE TABLE partitions (
      partitionId INTEGER NOT NULL,
      cycleNumber INTEGER NOT NULL,
      hash TEXT NOT NULL,
      PRIMARY KEY (cycleNumber, partitionId)
    );
    CREATE TABLE network (
      cycleNumber INTEGER NOT NULL PRIMARY KEY,
      hash TEXT NOT NULL
    );
    -- place 0: the message that counts; place 1: the first one that contradicts it, which is evidence.
    -- hash: what its signature is over. message: as received.
    CREATE TABLE messages (
      cycleNumber INTEGER NOT NULL,
      sender TEXT NOT NULL,
      place INTEGER NOT NULL,
      hash TEXT NOT NULL,
      message TEXT NOT NULL,
      PRIMARY KEY (cycleNumber, sender, place)
    );
    -- cycleNumber −1 and partitionId −2: of no certain cycle, of no certain partition.
    CREATE TABLE offences (
      node TEXT NOT NULL,
      kind TEXT NOT NULL,
      cycleNumber INTEGER NOT NULL,
      partitionId INTEGER NOT NULL,
      noticedMs INTEGER NOT NULL,
      detail TEXT NOT NULL,
      evidence TEXT,
      PRIMARY KEY (node, kind, cycleNumber, partitionId)
    );
    -- Whose hashes these are.
    CREATE TABLE identity (
      networkId TEXT NOT NULL,
      hashKey TEXT NOT NULL
    );
  `,
};

/** The condition for valid cycle numbers, for which arithmetic is exact. */
export const hasCycleNumber = `cycleNumber BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}`;
