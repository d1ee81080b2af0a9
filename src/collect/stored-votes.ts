/**
 * Reads votes back from the hash database, and checks each against its signature before anybody counts it, accuses
 * somebody by it or hands it out: bits flip, and somebody else may have written into the file.
 */

import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { verifiedVotesMax } from "../limits/limits.ts";
import { shortId } from "../protocol/node.ts";
import type { HashDatabase, StoredMessage } from "../store/hash-database/hash-database.ts";
import { parseJson } from "../wire/parse.ts";
import type { Hashes } from "./cycle-tally.ts";
import { verifiedMessage } from "./verified-message.ts";

export interface StoredVote extends StoredMessage {
  readonly hashes: Hashes;
  /** The key that has signed it: whether that is its sender's, only a list of nodes can tell. */
  readonly owner: string;
}

/** Votes that are read between two looks at everything else that waits. */
const votesPerTurn = 16;

export class StoredVotes {
  readonly #database: HashDatabase;
  readonly #hashKey: string;
  readonly #damaged: (message: StoredMessage, problem: string) => void;
  /** Texts whose signature was checked: those that are handed out again and again. */
  readonly #verified = new Set<string>();

  /** @param damaged is told of each message that does not hold */
  constructor(
    database: HashDatabase,
    hashKey: string,
    damaged: (message: StoredMessage, problem: string) => void,
  ) {
    this.#database = database;
    this.#hashKey = hashKey;
    this.#damaged = damaged;
  }

  /** Those of a cycle that hold, with a turn for others now and then. */
  async *of(cycle: number): AsyncGenerator<StoredVote, void, void> {
    let read = 0;
    for (const stored of this.#database.messagesOf(cycle)) {
      const vote = this.#verify(stored);
      if (vote !== undefined) yield vote;
      if (++read % votesPerTurn === 0) await setImmediate();
    }
  }

  /** The texts of {@link of}: what was checked before and has not changed is not checked again. */
  async *textsOf(cycle: number): AsyncGenerator<string, void, void> {
    let read = 0;
    for (const stored of this.#database.messagesOf(cycle)) {
      if (this.#verified.has(printOf(stored)) || this.#verify(stored) !== undefined) yield stored.text;
      if (++read % votesPerTurn === 0) await setImmediate();
    }
  }

  #verify(stored: StoredMessage): StoredVote | undefined {
    const { cycle, sender, hash, text } = stored;
    const verified = verifiedMessage(text, this.#hashKey);
    const { message, owner } = verified ?? {};
    const isSame = message?.cycle === cycle && message.sender === sender && verified?.hash === hash;
    if (message === undefined || owner === undefined || !isSame) {
      this.#damaged(
        stored,
        `the stored message of ${shortId(sender)} for cycle ${cycle} is not what was signed: it does not count, and is replaced when it comes again`,
      );
      return undefined;
    }
    if (this.#verified.size >= verifiedVotesMax) this.#verified.clear();
    this.#verified.add(printOf(stored));
    return { ...stored, hashes: message.hashes, owner };
  }
}

/** The message of a vote that holds, as evidence. */
export function evidenceOf({ text }: Pick<StoredMessage, "text">): { readonly messages: readonly object[] } {
  return { messages: [parseJson(text, "a stored message") as object] };
}

/** A short text that no two stored messages have in common. */
function printOf({ cycle, sender, hash, text }: StoredMessage): string {
  return createHash("sha256").update(`${cycle} ${sender} ${hash} ${text}`).digest("base64");
}
