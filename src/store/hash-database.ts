/**
 * The hash database: what validators said of each cycle, under their signatures; what they agreed on; and
 * what any of them did wrong. A collector fills it, a run reads it and adds to it, at the same time if need
 * be: each change is one transaction.
 */

import { Failure } from "../model/failure.ts";
import { databasePageRows } from "../model/limits.ts";
import type { OffenceKind, RecordedOffence } from "../model/offence.ts";
import { hashFormat } from "./hash-schema.ts";
import { OffenceTable } from "./offence-table.ts";
import { SqliteFile, type SqliteOptions } from "./sqlite-file.ts";

/** A gossip message whose signature holds. */
export interface SignedMessage {
  readonly cycle: number;
  readonly sender: string;
  /** What its signature is over. */
  readonly hash: string;
  /** As received. */
  readonly text: string;
}

export interface StoredMessage extends SignedMessage {
  /** Whether it is the sender's second, which contradicts the one that counts. */
  readonly isContradicting: boolean;
}

/** `contradicts`: kept as evidence against its sender. `excess`: one more after such a one, not kept. */
export type SaveOutcome = "stored" | "known" | "contradicts" | "excess";

export interface NetworkIdentity {
  /** Empty where the cycle records do not say. */
  readonly networkId: string;
  readonly hashKey: string;
}

export interface HashCounts {
  readonly messages: number;
  /** The first and the last cycle with a message; null where there is none. */
  readonly firstCycle: number | null;
  readonly lastCycle: number | null;
  /** Cycles with an agreed network hash. */
  readonly agreedCycles: number;
}

interface MessageRow {
  readonly cycleNumber: number;
  readonly sender: string;
  readonly place: number;
  readonly hash: string;
  readonly message: string;
}

export class HashDatabase {
  readonly #file: SqliteFile;
  readonly #offences: OffenceTable;

  private constructor(file: SqliteFile) {
    this.#file = file;
    this.#offences = new OffenceTable(file);
  }

  /** @throws Failure `configuration`, `disk` or `temporary` (locked by another process) */
  static open(path: string, options: SqliteOptions = {}): HashDatabase {
    return new HashDatabase(SqliteFile.open(path, hashFormat, options));
  }

  /**
   * Makes a new database that of this network.
   *
   * @throws Failure `configuration` where it already is that of another one
   */
  claim({ networkId, hashKey }: NetworkIdentity): void {
    this.#file.write(() => {
      const own = this.#file.get<NetworkIdentity>("SELECT networkId, hashKey FROM identity");
      if (own === undefined) {
        this.#file.run("INSERT INTO identity VALUES (?, ?)", networkId, hashKey);
        return;
      }
      const isSameId = own.networkId === networkId || networkId === "" || own.networkId === "";
      if (isSameId && own.hashKey === hashKey) {
        if (own.networkId === "") this.#file.run("UPDATE identity SET networkId = ?", networkId);
        return;
      }
      const what = isSameId ? ["hash key", own.hashKey, hashKey] : ["network", own.networkId, networkId];
      throw new Failure(
        "configuration",
        `${this.#file.path} is of another network: its ${what[0]} is ${what[1]}, not ${what[2]}`,
        { hint: "Give each network a hash database of its own, and check --archiver and --hash-key." },
      );
    });
  }

  /** Keeps messages, all of them or none; a contradiction is written down as an offence along with it. */
  saveMessages(messages: readonly SignedMessage[], nowMs: number): SaveOutcome[] {
    if (messages.length === 0) return [];
    return this.#file.write(() => messages.map((message) => this.#saveMessage(message, nowMs)));
  }

  /** What was agreed on in a cycle, whole or in part. */
  saveAgreed(cycle: number, hashes: Iterable<readonly [number, string]>, networkHash?: string): void {
    this.#file.write(() => {
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
    });
  }

  /** Answers those that were not known. */
  saveOffences(offences: readonly RecordedOffence[]): RecordedOffence[] {
    if (offences.length === 0) return [];
    return this.#file.write(() => offences.filter((offence) => this.#offences.add(offence)));
  }

  /** A page of a cycle's messages, ascending by sender, those after the given one. */
  messagesAfter(cycle: number, last?: StoredMessage): StoredMessage[] {
    const rows = this.#file.all<MessageRow>(
      "SELECT * FROM messages WHERE cycleNumber = ? AND (sender, place) > (?, ?) ORDER BY sender, place LIMIT ?",
      ...[cycle, last?.sender ?? "", last?.isContradicting === true ? 1 : 0, databasePageRows],
    );
    return rows.map(({ cycleNumber, sender, place, hash, message }) => ({
      cycle: cycleNumber,
      sender,
      hash,
      text: message,
      isContradicting: place !== 0,
    }));
  }

  /** All messages of a cycle, read page by page: there may be gigabytes of them. */
  *messagesOf(cycle: number): Generator<StoredMessage, void, void> {
    let page = this.messagesAfter(cycle);
    while (page.length > 0) {
      yield* page;
      page = this.messagesAfter(cycle, page.at(-1));
    }
  }

  messageCount(cycle: number): number {
    const row = this.#file.get<{ n: number }>(
      "SELECT count(*) AS n FROM messages WHERE cycleNumber = ?",
      cycle,
    );
    return row?.n ?? 0;
  }

  /** The agreed hash of each partition of a cycle that has one. */
  partitionHashes(cycle: number): Map<number, string> {
    const rows = this.#file.all<{ partitionId: number; hash: string }>(
      "SELECT partitionId, hash FROM partitions WHERE cycleNumber = ? ORDER BY partitionId",
      cycle,
    );
    return new Map(rows.map(({ partitionId, hash }) => [partitionId, hash]));
  }

  networkHash(cycle: number): string | undefined {
    return this.#file.get<{ hash: string }>("SELECT hash FROM network WHERE cycleNumber = ?", cycle)?.hash;
  }

  offences(): RecordedOffence[] {
    return this.#offences.all();
  }

  offenceKinds(): Map<string, OffenceKind[]> {
    return this.#offences.kinds();
  }

  /** How many messages there are of each node, and of which cycle the last one is. */
  senders(): { readonly node: string; readonly messages: number; readonly lastCycle: number }[] {
    return this.#file.all(
      "SELECT sender AS node, count(*) AS messages, max(cycleNumber) AS lastCycle FROM messages WHERE place = 0 GROUP BY sender",
    );
  }

  counts(): HashCounts {
    const counts = this.#file.get<HashCounts>(
      `SELECT (SELECT count(*) FROM messages) AS messages, (SELECT min(cycleNumber) FROM messages) AS firstCycle,
         (SELECT max(cycleNumber) FROM messages) AS lastCycle, (SELECT count(*) FROM network) AS agreedCycles`,
    );
    return counts ?? { messages: 0, firstCycle: null, lastCycle: null, agreedCycles: 0 };
  }

  /**
   * Forgets messages and hashes of all but the newest cycles that there are, one cycle in each transaction,
   * so that nobody waits long for it. What is counted are cycles that are stored: a chain that leaps ahead
   * must not wipe out everything at once.
   */
  *prune(keepCycles: number, nowMs: number): Generator<number, void, void> {
    this.#offences.prune(nowMs);
    const oldestKept = this.#nthNewestCycle(keepCycles);
    for (let cycle = this.#oldestCycle(); cycle !== null && cycle < oldestKept; cycle = this.#oldestCycle()) {
      const pruned = cycle;
      this.#file.write(() => {
        for (const table of ["messages", "partitions", "network"]) {
          this.#file.run(`DELETE FROM ${table} WHERE cycleNumber = ?`, pruned);
        }
      });
      yield pruned;
    }
  }

  close(): void {
    this.#file.close();
  }

  #saveMessage({ cycle, sender, hash, text }: SignedMessage, nowMs: number): SaveOutcome {
    const insert = "INSERT INTO messages VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    if (this.#file.run(insert, cycle, sender, 0, hash, text) > 0) return "stored";
    const [counted, second] = this.#file.all<MessageRow>(
      "SELECT * FROM messages WHERE cycleNumber = ? AND sender = ? ORDER BY place",
      ...[cycle, sender],
    );
    if (counted?.hash === hash || second?.hash === hash) return "known";
    if (second !== undefined || counted === undefined) return "excess";
    this.#file.run(insert, cycle, sender, 1, hash, text);
    const messages = [counted.message, text].map((message) => JSON.parse(message) as object);
    const detail = `two different messages for cycle ${cycle}, both signed`;
    this.#offences.add({
      node: sender,
      kind: "equivocation",
      whenMs: nowMs,
      cycle,
      detail,
      evidence: { messages },
    });
    return "contradicts";
  }

  #oldestCycle(): number | null {
    const tables = ["messages", "partitions", "network"];
    const oldest = "SELECT min(cycleNumber) AS cycle FROM";
    const known = tables.flatMap(
      (table) => this.#file.get<{ cycle: number | null }>(`${oldest} ${table}`)?.cycle ?? [],
    );
    return known.length === 0 ? null : Math.min(...known);
  }

  /** Steps from cycle to cycle by the index: there are few cycles, each with very many rows. */
  #nthNewestCycle(n: number): number {
    const row = this.#file.get<{ oldest: number | null }>(
      `WITH RECURSIVE newest(cycle) AS (
         SELECT max(coalesce((SELECT max(cycleNumber) FROM messages), -1),
                    coalesce((SELECT max(cycleNumber) FROM network), -1))
         UNION ALL
         SELECT max(coalesce((SELECT max(cycleNumber) FROM messages WHERE cycleNumber < cycle), -1),
                    coalesce((SELECT max(cycleNumber) FROM network WHERE cycleNumber < cycle), -1))
         FROM newest WHERE cycle >= 0 LIMIT ?)
       SELECT min(cycle) AS oldest FROM newest`,
      n,
    );
    return row?.oldest ?? -1;
  }
}
