/**
 * Reads votes back from the hash database. Each is verified before it is counted, proves an offence or is sent: bits
 * flip, and another program may have written into the file.
 */

import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { type VerifiedVote, verifyVote } from "../../agreement/admission/verify-vote.ts";
import { verifiedVotesMax } from "../../limits/collect.ts";
import { shortId } from "../../protocol/node.ts";
import type { HashDatabase, StoredMessage } from "../../store/hash-database/hash-database.ts";
import { parseJson } from "../../wire/parse.ts";

export interface StoredVote extends VerifiedVote {
  /** Whether it contradicts the vote of its sender that counts. */
  readonly isContradicting: boolean;
}

/** Votes that are read before other work gets its turn. */
const votesPerTurn = 16;

export class StoredVotes {
  readonly #database: HashDatabase;
  readonly #hashKey: string;
  readonly #onDamaged: (message: StoredMessage, problem: string) => void;
  /** Rows that were verified: some are sent again and again. */
  readonly #verified = new Set<string>();

  /** @param onDamaged called with each message that does not verify */
  constructor(
    database: HashDatabase,
    hashKey: string,
    onDamaged: (message: StoredMessage, problem: string) => void,
  ) {
    this.#database = database;
    this.#hashKey = hashKey;
    this.#onDamaged = onDamaged;
  }

  /** The votes of a cycle that verify. Other work gets its turn between them. */
  async *of(cycle: number): AsyncGenerator<StoredVote, void, void> {
    let read = 0;
    for (const stored of this.#database.messagesOf(cycle)) {
      const vote = this.#verify(stored);
      if (vote !== undefined) yield vote;
      if (++read % votesPerTurn === 0) await setImmediate();
    }
  }

  /** The texts of {@link of}. A row that was verified before and has not changed is not verified again. */
  async *textsOf(cycle: number): AsyncGenerator<string, void, void> {
    let read = 0;
    for (const stored of this.#database.messagesOf(cycle)) {
      if (this.#verified.has(digestOf(stored)) || this.#verify(stored) !== undefined) yield stored.text;
      if (++read % votesPerTurn === 0) await setImmediate();
    }
  }

  #verify(stored: StoredMessage): StoredVote | undefined {
    const { cycle, sender, hash, text, isContradicting } = stored;
    const vote = verifyVote(text, this.#hashKey);
    if (vote === undefined || vote.cycle !== cycle || vote.sender !== sender || vote.hash !== hash) {
      const problem = `the stored message of ${shortId(sender)} for cycle ${cycle} is not what was signed: it does not count, and is replaced when it is received again`;
      this.#onDamaged(stored, problem);
      return undefined;
    }
    if (this.#verified.size >= verifiedVotesMax) this.#verified.clear();
    this.#verified.add(digestOf(stored));
    return { ...vote, isContradicting };
  }
}

/** The message of a verified vote, as evidence. */
export function evidenceOf({ text }: Pick<StoredMessage, "text">): { readonly messages: readonly object[] } {
  return { messages: [parseJson(text, "a stored message") as object] };
}

/** A short text that identifies a row. */
function digestOf({ cycle, sender, hash, text }: StoredMessage): string {
  return createHash("sha256").update(`${cycle} ${sender} ${hash} ${text}`).digest("base64");
}
