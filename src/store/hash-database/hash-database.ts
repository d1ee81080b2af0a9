/**
 * The hash database: the signed messages of validators for each cycle, the agreed hashes, and the offences of nodes. A
 * collector and several runs can use it concurrently, because each change is one transaction.
 */

import type { OffenceKind, RecordedOffence } from "../../errors/offence.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { databaseWordBytesMax } from "../../limits/database.ts";
import type { Cycle, HashHex, Partition } from "../../protocol/brands.ts";
import { quoted } from "../../wire/parse.ts";
import { AgreedHashes } from "./agreed-hashes.ts";
import { MessageTable, type SaveOutcome, type SenderCount, type StoredMessage } from "./message-table.ts";
import { OffenceTable } from "./offence-table.ts";
import { hasCycleNumber, hashFormat } from "./schema.ts";
import { SqliteFile, type SqliteOptions } from "./sqlite-file.ts";
import { ownFileHint } from "./sqlite-format.ts";
import type { SignedMessage } from "./stored-message.ts";
import { storedText } from "./stored-text.ts";

export type { SaveOutcome, SignedMessage, StoredMessage };

export interface HashDatabaseOptions extends SqliteOptions {
  /** Called for each row that cannot be used, because it is damaged or another program wrote it. */
  readonly onSkipped?: (problem: string) => void;
}

export interface NetworkIdentity {
  /** Empty if the cycle records do not state it. */
  readonly networkId: string;
  readonly hashKey: string;
}

export interface HashCounts {
  readonly messages: number;
  /** The first and the last cycle with a message; null without messages. */
  readonly firstCycle: Cycle | null;
  readonly lastCycle: Cycle | null;
  /** Cycles with an agreed network hash. */
  readonly agreedCycles: number;
}

export class HashDatabase {
  readonly #file: SqliteFile;
  readonly #offences: OffenceTable;
  readonly #messages: MessageTable;
  readonly #agreed: AgreedHashes;
  #hashKey: string | undefined;

  private constructor(file: SqliteFile, onSkipped: (problem: string) => void) {
    this.#file = file;
    const onSkippedRow = (what: string) => onSkipped(`${file.path}: skipped ${what}`);
    const offences = new OffenceTable(file, onSkippedRow);
    this.#offences = offences;
    this.#agreed = new AgreedHashes(file);
    this.#messages = new MessageTable(file, {
      offences,
      onSkipped: onSkippedRow,
      hashKey: () => this.#hashKey,
    });
  }

  /**
   * Opens a hash database.
   *
   * @throws SnapshotError `configuration`, `disk` or `temporary` (locked by another process)
   */
  static open(
    path: string,
    { onSkipped = () => undefined, ...options }: HashDatabaseOptions = {},
  ): HashDatabase {
    return new HashDatabase(SqliteFile.open(path, hashFormat, options), onSkipped);
  }

  /**
   * Binds a new database to a network.
   *
   * @throws SnapshotError `configuration` if it is bound to another network
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
        `${this.#file.path} belongs to another network: its ${what[0]} is ${quoted(what[1] ?? "")}, not ${what[2]}`,
        { hint: "Give each network a hash database of its own, and check --archiver and --hash-key." },
      );
    });
  }

  /**
   * Saves messages whose signatures were checked, all of them or none. A contradiction is saved together with its
   * offence. A stored message whose signature is no longer valid contradicts nothing, and is replaced.
   */
  saveMessages(messages: readonly SignedMessage[], nowMs: number): SaveOutcome[] {
    if (messages.length === 0) return [];
    return this.#file.write(() => messages.map((message) => this.#messages.save(message, nowMs)));
  }

  /** Saves agreed hashes of a cycle, and its agreed network hash if there is one. */
  saveAgreed(cycle: Cycle, hashes: Iterable<readonly [Partition, HashHex]>, networkHash?: HashHex): void {
    this.#file.write(() => this.#agreed.save(cycle, hashes, networkHash));
  }

  /** Saves offences. Returns those that are new. */
  saveOffences(offences: readonly RecordedOffence[]): RecordedOffence[] {
    if (offences.length === 0) return [];
    return this.#file.write(() => offences.filter((offence) => this.#offences.add(offence)));
  }

  /**
   * Yields all messages of a cycle, ascending by sender, without checking their signatures. Only one is in memory at a
   * time: there may be gigabytes of them.
   */
  messagesOf(cycle: Cycle): Generator<StoredMessage, void, void> {
    return this.#messages.ofCycle(cycle);
  }

  messageCount(cycle: Cycle): number {
    return this.#messages.count(cycle);
  }

  /** Returns the number of messages of each node, and the cycle of its last one. */
  senders(): SenderCount[] {
    return this.#messages.senders();
  }

  /** Returns the agreed hash of each partition in a cycle. */
  partitionHashes(cycle: Cycle): Map<Partition, HashHex> {
    return this.#agreed.partitionHashes(cycle);
  }

  networkHash(cycle: Cycle): HashHex | undefined {
    return this.#agreed.networkHash(cycle);
  }

  offences(): RecordedOffence[] {
    return this.#offences.all();
  }

  offenceKinds(): Map<string, OffenceKind[]> {
    return this.#offences.kinds();
  }

  counts(): HashCounts {
    const counts = this.#file.get(
      (row): HashCounts => ({
        messages: row.count("messages"),
        firstCycle: row.cycle("firstCycle") ?? null,
        lastCycle: row.cycle("lastCycle") ?? null,
        agreedCycles: row.count("agreedCycles"),
      }),
      `SELECT (SELECT count(*) FROM messages) AS messages,
         (SELECT min(cycleNumber) FROM messages WHERE ${hasCycleNumber}) AS firstCycle,
         (SELECT max(cycleNumber) FROM messages WHERE ${hasCycleNumber}) AS lastCycle,
         (SELECT count(*) FROM network) AS agreedCycles`,
    );
    return counts ?? { messages: 0, firstCycle: null, lastCycle: null, agreedCycles: 0 };
  }

  /**
   * Deletes the messages and hashes of all but the newest stored cycles, one cycle per transaction, so that others do not
   * wait long. It counts stored cycles, not cycle numbers: a chain that leaps ahead must not delete everything at once.
   */
  *prune(keepCycles: number, nowMs: number): Generator<Cycle, void, void> {
    this.#offences.prune(nowMs);
    const oldestKept = this.#nthNewestCycle(keepCycles);
    for (
      let cycle = this.#oldestCycle();
      cycle !== undefined && cycle < oldestKept;
      cycle = this.#oldestCycle()
    ) {
      const pruned = cycle;
      this.#file.write(() => {
        for (const table of ["messages", "partitions", "network"]) {
          this.#file.run(`DELETE FROM ${table} WHERE cycleNumber = ?`, pruned);
        }
      });
      yield pruned;
    }
  }

  /**
   * Checks that the file is still the one at its path.
   *
   * @throws SnapshotError `disk` if the file was removed or replaced since it was opened
   */
  requireInPlace(): void {
    this.#file.requireInPlace();
  }

  close(): void {
    this.#file.close();
  }

  /**
   * Returns the network to which the database belongs; `undefined` before {@link claim}.
   *
   * @throws SnapshotError `configuration` if the identity is not one that this program writes
   */
  #identity(): NetworkIdentity | undefined {
    const [first, second] = this.#file.all(
      (row) => ({ networkId: row.text("networkId"), hashKey: row.text("hashKey") }),
      `SELECT ${storedText("networkId", databaseWordBytesMax)}, ${storedText("hashKey", databaseWordBytesMax)}
       FROM identity LIMIT 2`,
    );
    if (first === undefined) return undefined;
    const { networkId, hashKey } = first;
    if (networkId !== undefined && hashKey !== undefined && second === undefined)
      return { networkId, hashKey };
    throw new SnapshotError("configuration", `${this.#file.path} does not name its network`, {
      hint: ownFileHint(this.#file),
    });
  }

  #oldestCycle(): Cycle | undefined {
    const tables = ["messages", "partitions", "network"];
    const oldest = "SELECT min(cycleNumber) AS cycle FROM";
    const known = tables.flatMap(
      (table) =>
        this.#file.get((row) => row.cycle("cycle"), `${oldest} ${table} WHERE ${hasCycleNumber}`) ?? [],
    );
    return known.sort((a, b) => a - b)[0];
  }

  /** Steps from cycle to cycle by the index, because a few cycles have very many rows. */
  #nthNewestCycle(n: number): number {
    const oldest = this.#file.get(
      (row) => row.integer("oldest"),
      `WITH RECURSIVE newest(cycle) AS (
         SELECT max(coalesce((SELECT max(cycleNumber) FROM messages WHERE ${hasCycleNumber}), -1),
                    coalesce((SELECT max(cycleNumber) FROM network WHERE ${hasCycleNumber}), -1))
         UNION ALL
         SELECT max(coalesce((SELECT max(cycleNumber) FROM messages WHERE ${hasCycleNumber} AND cycleNumber < cycle), -1),
                    coalesce((SELECT max(cycleNumber) FROM network WHERE ${hasCycleNumber} AND cycleNumber < cycle), -1))
         FROM newest WHERE cycle >= 0 LIMIT ?)
       SELECT min(cycle) AS oldest FROM newest`,
      n,
    );
    return oldest ?? -1;
  }
}
