/** The table of signed messages: for each sender and cycle, the one that counts and at most one that contradicts it. */

import { databasePageRows, databaseSendersMax, databaseWordBytesMax } from "../../limits/database.ts";
import { gossipMessageBytesMax } from "../../limits/gossip.ts";
import { type Cycle, isHashHex, isNodeId, type NodeId } from "../../protocol/brands.ts";
import { counted } from "../../text/counted.ts";
import { quoted } from "../../wire/parse.ts";
import type { OffenceTable } from "./offence-table.ts";
import { hasCycleNumber } from "./schema.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import { holdsAsStored, parsedMessage, type SignedMessage } from "./stored-message.ts";
import { decodeStored, storedText } from "./stored-text.ts";

export interface StoredMessage extends SignedMessage {
  /** Whether it is the sender's second message, which contradicts the one that counts. */
  readonly isContradicting: boolean;
}

/** `contradicts`: saved as evidence against its sender. `excess`: a further contradiction, which is not saved. */
export type SaveOutcome = "stored" | "known" | "contradicts" | "excess";

export interface SenderCount {
  readonly node: string;
  readonly messages: number;
  readonly lastCycle: Cycle;
}

interface MessageRow {
  readonly place: number;
  /** `undefined` if the text is damaged; likewise the message. */
  readonly hash: string | undefined;
  readonly message: string | undefined;
}

const messageColumns = `place, ${storedText("hash", databaseWordBytesMax)}, ${storedText("message", gossipMessageBytesMax)}`;

export interface MessageTableContext {
  readonly offences: OffenceTable;
  /** Called with the problem of each row that cannot be used. */
  readonly onSkipped: (problem: string) => void;
  /** `undefined` until the database is bound to a network. */
  readonly hashKey: () => string | undefined;
}

export class MessageTable {
  readonly #file: SqliteFile;
  readonly #offences: OffenceTable;
  readonly #onSkipped: (problem: string) => void;
  readonly #hashKey: () => string | undefined;

  constructor(file: SqliteFile, { offences, onSkipped, hashKey }: MessageTableContext) {
    this.#file = file;
    this.#offences = offences;
    this.#onSkipped = onSkipped;
    this.#hashKey = hashKey;
  }

  /** Saves a message within a transaction of the caller, and the offence of a contradiction. */
  save(message: SignedMessage, nowMs: number): SaveOutcome {
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
    if (counted.hash === hash) return "known";
    if (second !== undefined) return second.hash === hash ? "known" : "excess";
    this.#file.run("INSERT OR REPLACE INTO messages VALUES (?, ?, 1, ?, ?)", cycle, sender, hash, text);
    const messages = [counted.message ?? "", text].map((one) => parsedMessage(one));
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

  /**
   * Yields all messages of a cycle, ascending by sender, without checking their signatures. Only one is in memory at a
   * time.
   */
  *ofCycle(cycle: Cycle): Generator<StoredMessage, void, void> {
    this.#reportForeignRows(cycle);
    let last: { readonly sender: Uint8Array; readonly place: number } = {
      sender: new Uint8Array(),
      place: 0,
    };
    for (;;) {
      const keys = this.#file.all(
        (row) => ({ sender: row.bytes("sender"), place: row.count("place") }),
        `SELECT CAST(sender AS BLOB) AS sender, place FROM messages
         WHERE cycleNumber = ? AND (sender, place) > (CAST(? AS TEXT), ?) AND typeof(sender) = 'text' AND place IN (0, 1)
         ORDER BY messages.sender, place LIMIT ?`,
        ...[cycle, last.sender, last.place, databasePageRows],
      );
      for (const { sender: bytes, place } of keys) {
        const sender = decodeStored(bytes);
        last = { sender: bytes, place };
        if (!isNodeId(sender)) {
          const who = sender === undefined ? "is not UTF-8" : `is ${quoted(sender)}, not the ID of a node`;
          this.#onSkipped(`a message of cycle ${cycle}: its sender ${who}`);
          continue;
        }
        const message = this.#read(cycle, sender).find((row) => row.place === place);
        const { hash, message: text } = message ?? {};
        if (isHashHex(hash) && text !== undefined) {
          yield { cycle, sender, hash, text, isContradicting: place !== 0 };
        } else if (message !== undefined) {
          this.#onSkipped(`the message of ${quoted(sender)} for cycle ${cycle}: it is damaged`);
        }
      }
      if (keys.length < databasePageRows) return;
    }
  }

  count(cycle: Cycle): number {
    const sql = "SELECT count(*) AS n FROM messages WHERE cycleNumber = ?";
    return this.#file.get((row) => row.count("n"), sql, cycle) ?? 0;
  }

  /** Returns the number of messages of each node, and the cycle of its last one. */
  senders(): SenderCount[] {
    const rows = this.#file.all(
      (row) => ({
        node: row.text("sender"),
        messages: row.count("messages"),
        lastCycle: row.cycle("lastCycle"),
      }),
      `SELECT ${storedText("sender", databaseWordBytesMax)}, count(*) AS messages, max(cycleNumber) AS lastCycle
       FROM messages WHERE place = 0 AND ${hasCycleNumber} GROUP BY messages.sender LIMIT ?`,
      databaseSendersMax + 1,
    );
    if (rows.length > databaseSendersMax) this.#onSkipped(`all but ${databaseSendersMax} senders`);
    return rows.slice(0, databaseSendersMax).flatMap(({ node, messages, lastCycle }) => {
      if (node === undefined) this.#onSkipped("a sender that is not text");
      return node === undefined || lastCycle === undefined ? [] : [{ node, messages, lastCycle }];
    });
  }

  /** Reads the one or two rows of a sender for a cycle. */
  #read(cycle: Cycle, sender: NodeId): MessageRow[] {
    return this.#file.all(
      (row) => ({ place: row.count("place"), hash: row.text("hash"), message: row.text("message") }),
      `SELECT ${messageColumns} FROM messages
       WHERE cycleNumber = ? AND sender = ? AND place IN (0, 1) ORDER BY place`,
      ...[cycle, sender],
    );
  }

  /** Returns whether a stored message is still validly signed, with the key of another message of its sender. */
  #holds({ place, hash, message }: MessageRow, other: SignedMessage): boolean {
    const { cycle, sender } = other;
    const stored = { cycle, sender, hash: hash ?? "", text: message ?? "" };
    if (holdsAsStored(stored, other, this.#hashKey())) return true;
    const which = place === 0 ? "message" : "second message";
    this.#onSkipped(`the ${which} of ${quoted(sender)} for cycle ${cycle}: its signature is invalid`);
    return false;
  }

  #reportForeignRows(cycle: Cycle): void {
    const rows = this.#file.get(
      (row) => row.count("n"),
      `SELECT count(*) AS n FROM messages
       WHERE cycleNumber = ? AND (typeof(sender) <> 'text' OR place NOT IN (0, 1))`,
      cycle,
    );
    if (rows !== undefined && rows > 0)
      this.#onSkipped(`${counted(rows, "row")} of cycle ${cycle} without a message`);
  }
}
