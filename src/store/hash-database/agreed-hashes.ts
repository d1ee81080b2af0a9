/** The tables of agreed hashes: those of partitions and those of the network. */

import { databaseWordBytesMax } from "../../limits/database.ts";
import { type Cycle, type HashHex, isHashHex, isPartition, type Partition } from "../../protocol/brands.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import { storedText } from "./stored-text.ts";

export class AgreedHashes {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  /** Saves hashes of a cycle within a transaction of the caller. */
  save(
    cycle: Cycle,
    hashes: Iterable<readonly [Partition, HashHex]>,
    networkHash: HashHex | undefined,
  ): void {
    for (const [partition, hash] of hashes) {
      this.#file.run(
        "INSERT INTO partitions (partitionId, cycleNumber, hash) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET hash = excluded.hash",
        ...[partition, cycle, hash],
      );
    }
    if (networkHash === undefined) return;
    this.#file.run(
      "INSERT INTO network (cycleNumber, hash) VALUES (?, ?) ON CONFLICT DO UPDATE SET hash = excluded.hash",
      ...[cycle, networkHash],
    );
  }

  /** Returns the agreed hash of each partition in a cycle. */
  partitionHashes(cycle: Cycle): Map<Partition, HashHex> {
    const rows = this.#file.all(
      (row) => [row.integer("partitionId"), row.text("hash")] as const,
      `SELECT partitionId, ${storedText("hash", databaseWordBytesMax)} FROM partitions
       WHERE cycleNumber = ? AND typeof(partitionId) = 'integer' ORDER BY partitionId`,
      cycle,
    );
    const hashes = new Map<Partition, HashHex>();
    for (const [partition, hash] of rows) {
      if (isPartition(partition) && isHashHex(hash)) hashes.set(partition, hash);
    }
    return hashes;
  }

  networkHash(cycle: Cycle): HashHex | undefined {
    const hash = this.#file.get(
      (row) => row.text("hash"),
      `SELECT ${storedText("hash", databaseWordBytesMax)} FROM network WHERE cycleNumber = ?`,
      cycle,
    );
    return isHashHex(hash) ? hash : undefined;
  }
}
