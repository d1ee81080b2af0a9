/** The tables of agreed hashes: those of partitions and those of the network. */

import { databaseWordBytesMax } from "../../limits/database.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import { decodeStored, storedText } from "./stored-text.ts";

export class AgreedHashes {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  /** Saves hashes of a cycle within a transaction of the caller. */
  save(cycle: number, hashes: Iterable<readonly [number, string]>, networkHash: string | undefined): void {
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

  /** Partition → its agreed hash in a cycle. */
  partitionHashes(cycle: number): Map<number, string> {
    const rows = this.#file.all<{ partitionId: number; hash: unknown }>(
      `SELECT partitionId, ${storedText("hash", databaseWordBytesMax)} FROM partitions
       WHERE cycleNumber = ? AND typeof(partitionId) = 'integer' ORDER BY partitionId`,
      cycle,
    );
    return new Map(
      rows.flatMap(({ partitionId, hash }) => {
        const text = decodeStored(hash);
        return text === undefined ? [] : [[partitionId, text] as const];
      }),
    );
  }

  networkHash(cycle: number): string | undefined {
    const row = this.#file.get<{ hash: unknown }>(
      `SELECT ${storedText("hash", databaseWordBytesMax)} FROM network WHERE cycleNumber = ?`,
      cycle,
    );
    return decodeStored(row?.hash);
  }
}
