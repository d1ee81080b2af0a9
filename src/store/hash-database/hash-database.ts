/**
 * The hash database: what validators said of each cycle, under their signatures; what they agreed on; and
 * what any of them did wrong. A collector fills it, a run reads it and adds to it, at the same time if need
 * be: each change is one transaction.
 */

import type { OffenceKind, RecordedOffence } from "../../errors/offence.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import {
  databasePageRows,
  databaseSendersMax,
  databaseWordBytesMax,
  gossipMessageBytesMax,
} from "../../limits/limits.ts";
import { counted } from "../../text/counted.ts";
import { quoted } from "../../wire/parse.ts";
import { OffenceTable } from "./offence-table.ts";
import { hashFormat } from "./schema.ts";
import { SqliteFile, type SqliteOptions } from "./sqlite-file.ts";
import { holdsAsStored, parsedMessage } from "./stored-message.ts";
import { decodeStored, storedText } from "./stored-text.ts";

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

export interface HashDatabaseOptions extends SqliteOptions {
  /** Is told of each row that cannot be used: it is damaged, or somebody else's. */
  readonly onSkipped?: (problem: string) => void;
}

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
  readonly place: number;
  readonly hash: unknown;
  readonly message: unknown;
}

/** Cycle numbers that can be ones, and that arithmetic is exact for. */
const isCycle = `cycleNumber BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}`;
const messageColumns = `place, ${storedText("hash", databaseWordBytesMax)}, ${storedText("message", gossipMessageBytesMax)}`;

export class HashDatabase {
  readonly #file: SqliteFile;
  readonly #offences: OffenceTable;
  readonly #onSkipped: (problem: string) => void;
  #hashKey: string | undefined;

  private constructor(file: SqliteFile, onSkipped: (problem: string) => void) {
    this.#file = file;
    this.#onSkipped = (what) => onSkipped(`${file.path}: skipped ${what}`);
    this.#offences = new OffenceTable(file, this.#onSkipped);
  }

  /** @throws SnapshotError `configuration`, `disk` or `temporary` (locked by another process) */
  static open(
    path: string,
    { onSkipped = () => undefined, ...options }: HashDatabaseOptions = {},
  ): HashDatabase {
    return new HashDatabase(SqliteFile.open(path, hashFormat, options), onSkipped);
  }

  /**
   * Makes a new database that of this network.
   *
   * @throws SnapshotError `configuration` where it already is that of another one
   */
  claim({ networkId, hashKey }: NetworkIdentity): void {
    this.#hashKey = hashKey;
    this.#file.write(() => {
      const own = this.#identity();
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
      throw new SnapshotError(
        "configuration",
        `${this.#file.path} is of another network: its ${what[0]} is ${quoted(what[1] ?? "")}, not ${what[2]}`,
        { hint: "Give each network a hash database of its own, and check --archiver and --hash-key." },
      );
    });
  }

  /**
   * Keeps messages whose signatures were checked, all of them or none; a contradiction is written down as an offence
   * along with it. A stored message that does not hold any more contradicts nothing, and is replaced.
   */
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

  /** Returns those that were not known. */
  saveOffences(offences: readonly RecordedOffence[]): RecordedOffence[] {
    if (offences.length === 0) return [];
    return this.#file.write(() => offences.filter((offence) => this.#offences.add(offence)));
  }

  /**
   * All messages of a cycle, ascending by sender, one in memory at a time: there may be gigabytes of them. Their
   * signatures are not checked.
   */
  *messagesOf(cycle: number): Generator<StoredMessage, void, void> {
    this.#reportForeignRows(cycle);
    let last = { sender: new Uint8Array(), place: 0 };
    for (;;) {
      const keys = this.#file.all<{ sender: ArrayBuffer; place: number }>(
        `SELECT CAST(sender AS BLOB) AS sender, place FROM messages
         WHERE cycleNumber = ? AND (sender, place) > (CAST(? AS TEXT), ?) AND typeof(sender) = 'text' AND place IN (0, 1)
         ORDER BY messages.sender, place LIMIT ?`,
        ...[cycle, last.sender, last.place, databasePageRows],
      );
      for (const { sender: bytes, place } of keys) {
        const sender = decodeStored(bytes);
        last = { sender: new Uint8Array(bytes), place };
        if (sender === undefined) {
          this.#onSkipped(`a message of cycle ${cycle}: its sender is not UTF-8`);
          continue;
        }
        const message = this.#read(cycle, sender).find((row) => row.place === place);
        const [hash, text] = [decodeStored(message?.hash), decodeStored(message?.message)];
        if (hash !== undefined && text !== undefined) {
          yield { cycle, sender, hash, text, isContradicting: place !== 0 };
        } else if (message !== undefined) {
          this.#onSkipped(`the message of ${quoted(sender)} for cycle ${cycle}: it is damaged`);
        }
      }
      if (keys.length < databasePageRows) return;
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

  offences(): RecordedOffence[] {
    return this.#offences.all();
  }

  offenceKinds(): Map<string, OffenceKind[]> {
    return this.#offences.kinds();
  }

  /** How many messages there are of each node, and of which cycle the last one is. */
  senders(): { readonly node: string; readonly messages: number; readonly lastCycle: number }[] {
    const rows = this.#file.all<{ sender: unknown; messages: number; lastCycle: number }>(
      `SELECT ${storedText("sender", databaseWordBytesMax)}, count(*) AS messages, max(cycleNumber) AS lastCycle
       FROM messages WHERE place = 0 AND ${isCycle} GROUP BY messages.sender LIMIT ?`,
      databaseSendersMax + 1,
    );
    if (rows.length > databaseSendersMax) this.#onSkipped(`all but ${databaseSendersMax} senders`);
    return rows.slice(0, databaseSendersMax).flatMap(({ sender, messages, lastCycle }) => {
      const node = decodeStored(sender);
      if (node === undefined) this.#onSkipped("a sender that is no text");
      return node === undefined ? [] : [{ node, messages, lastCycle }];
    });
  }

  counts(): HashCounts {
    const counts = this.#file.get<HashCounts>(
      `SELECT (SELECT count(*) FROM messages) AS messages,
         (SELECT min(cycleNumber) FROM messages WHERE ${isCycle}) AS firstCycle,
         (SELECT max(cycleNumber) FROM messages WHERE ${isCycle}) AS lastCycle,
         (SELECT count(*) FROM network) AS agreedCycles`,
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

  /** @throws SnapshotError `disk` where the file was removed or replaced since it was opened */
  requireInPlace(): void {
    this.#file.requireInPlace();
  }

  close(): void {
    this.#file.close();
  }

  #saveMessage(message: SignedMessage, nowMs: number): SaveOutcome {
    const { cycle, sender, hash, text } = message;
    const insert = "INSERT INTO messages VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    if (this.#file.run(insert, cycle, sender, 0, hash, text) > 0) return "stored";
    const stored = this.#read(cycle, sender).filter((row) => this.#holds(row, message));
    const counted = stored.find(({ place }) => place === 0);
    const second = stored.find(({ place }) => place === 1);
    if (counted === undefined) {
      this.#file.run(
        "UPDATE messages SET hash = ?, message = ? WHERE cycleNumber = ? AND sender = ? AND place = 0",
        ...[hash, text, cycle, sender],
      );
      return "stored";
    }
    if (decodeStored(counted.hash) === hash) return "known";
    if (second !== undefined) return decodeStored(second.hash) === hash ? "known" : "excess";
    this.#file.run("INSERT OR REPLACE INTO messages VALUES (?, ?, 1, ?, ?)", cycle, sender, hash, text);
    const messages = [decodeStored(counted.message) ?? "", text].map((one) => parsedMessage(one));
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

  /** The rows of a sender for a cycle, of which there are one or two. */
  #read(cycle: number, sender: string): MessageRow[] {
    return this.#file.all<MessageRow>(
      `SELECT ${messageColumns} FROM messages
       WHERE cycleNumber = ? AND sender = ? AND place IN (0, 1) ORDER BY place`,
      ...[cycle, sender],
    );
  }

  /** Whether a stored message is still what its sender has signed, with the same key as another one of it. */
  #holds({ place, hash, message }: MessageRow, other: SignedMessage): boolean {
    const { cycle, sender } = other;
    const stored = { cycle, sender, hash: decodeStored(hash) ?? "", text: decodeStored(message) ?? "" };
    if (holdsAsStored(stored, other, this.#hashKey)) return true;
    const which = place === 0 ? "message" : "second message";
    this.#onSkipped(`the ${which} of ${quoted(sender)} for cycle ${cycle}: its signature does not hold`);
    return false;
  }

  /** @throws SnapshotError `configuration` where it cannot be one that we have written */
  #identity(): NetworkIdentity | undefined {
    const rows = this.#file.all<{ networkId: unknown; hashKey: unknown }>(
      `SELECT ${storedText("networkId", databaseWordBytesMax)}, ${storedText("hashKey", databaseWordBytesMax)}
       FROM identity LIMIT 2`,
    );
    const [first, second] = rows.map(({ networkId, hashKey }) => ({
      networkId: decodeStored(networkId),
      hashKey: decodeStored(hashKey),
    }));
    if (first === undefined) return undefined;
    const { networkId, hashKey } = first;
    if (networkId !== undefined && hashKey !== undefined && second === undefined)
      return { networkId, hashKey };
    throw new SnapshotError("configuration", `${this.#file.path} does not say which network it is of`, {
      hint: "Give a file that does not exist yet, or one that this program has written.",
    });
  }

  #reportForeignRows(cycle: number): void {
    const row = this.#file.get<{ n: number }>(
      `SELECT count(*) AS n FROM messages
       WHERE cycleNumber = ? AND (typeof(sender) <> 'text' OR place NOT IN (0, 1))`,
      cycle,
    );
    if ((row?.n ?? 0) > 0)
      this.#onSkipped(`${counted(row?.n ?? 0, "row")} of cycle ${cycle} with no message`);
  }

  #oldestCycle(): number | null {
    const tables = ["messages", "partitions", "network"];
    const oldest = "SELECT min(cycleNumber) AS cycle FROM";
    const known = tables.flatMap(
      (table) => this.#file.get<{ cycle: number | null }>(`${oldest} ${table} WHERE ${isCycle}`)?.cycle ?? [],
    );
    return known.length === 0 ? null : Math.min(...known);
  }

  /** Steps from cycle to cycle by the index: there are few cycles, each with very many rows. */
  #nthNewestCycle(n: number): number {
    const row = this.#file.get<{ oldest: number | null }>(
      `WITH RECURSIVE newest(cycle) AS (
         SELECT max(coalesce((SELECT max(cycleNumber) FROM messages WHERE ${isCycle}), -1),
                    coalesce((SELECT max(cycleNumber) FROM network WHERE ${isCycle}), -1))
         UNION ALL
         SELECT max(coalesce((SELECT max(cycleNumber) FROM messages WHERE ${isCycle} AND cycleNumber < cycle), -1),
                    coalesce((SELECT max(cycleNumber) FROM network WHERE ${isCycle} AND cycleNumber < cycle), -1))
         FROM newest WHERE cycle >= 0 LIMIT ?)
       SELECT min(cycle) AS oldest FROM newest`,
      n,
    );
    return row?.oldest ?? -1;
  }
}
