/**
 * Judges one message, the cheapest checks first (PROTOCOL.md, Partition gossip): JSON, the cycle, the sender,
 * whether it is known, its size and owner, its form; and only then its signature, which costs more than all
 * the rest together.
 */

import { gossipMessageBytesMax, pushedMessageBytesBase, pushedMessageBytesPerNode } from "../model/limits.ts";
import { shortId } from "../model/node.ts";
import type { SignedMessage } from "../store/hash-database.ts";
import { parseGossipMessage } from "../wire/gossip-message.ts";
import { parseJson, quoted, WireError } from "../wire/parse.ts";
import { type CycleBook, type Heard, printOf } from "./cycle-book.ts";
import type { Hashes } from "./cycle-tally.ts";
import type { NetworkWatch } from "./network-watch.ts";

/** A message that passed every check. */
export interface CheckedMessage extends SignedMessage {
  readonly print: string;
  readonly hashes: Hashes;
}

/** Of a message that passed every check but that of its signature. */
export interface Candidate {
  /** The message as `JSON.parse` returned it, which its signature is over. */
  readonly value: object;
  readonly message: CheckedMessage;
}

export type Refused = {
  readonly kind: "refused";
  readonly status: 400 | 403 | 409 | 413 | 429;
  readonly problem: string;
  /** Who it says it is of, where that is an active node. */
  readonly sender?: string;
};

export type Known = { readonly kind: "known"; readonly heard: Heard };
export type Screening = Refused | Known | { readonly kind: "candidate"; readonly candidate: Candidate };
export type Verdict = Refused | Known | { readonly kind: "new"; readonly message: CheckedMessage };

/** Of `sign.sig`: the signature is 64 bytes, and the signed message follows it. */
const SIGNED_HASH_AT = 128;

export class Intake {
  readonly #watch: NetworkWatch;
  readonly #book: CycleBook;

  constructor(watch: NetworkWatch, book: CycleBook) {
    this.#watch = watch;
    this.#book = book;
  }

  /**
   * Everything that can be said of a message without its signature.
   *
   * @param text one message as received
   */
  screen(text: string): Screening {
    let value: unknown;
    try {
      value = parseJson(text, "the message");
    } catch (error) {
      return refusedFor(error);
    }
    if (typeof value !== "object" || value === null) return refused(400, "the message is no object");
    const { cycle, sender, sign } = value as Partial<Record<string, unknown>>;
    const { oldestCycle, lastCycle, roster: active } = this.#watch;
    if (!Number.isSafeInteger(cycle)) return refused(400, "cycle: expected a cycle number");
    const number = Number(cycle);
    if (number < oldestCycle || number > lastCycle) {
      return refused(400, `cycle ${number} is not one of ${oldestCycle} to ${lastCycle}`);
    }
    const roster = this.#watch.rosterOf(number) ?? active;
    const publicKey = typeof sender === "string" ? roster.keyOf.get(sender) : undefined;
    if (typeof sender !== "string" || publicKey === undefined) {
      return refused(403, `the sender is no active node of cycle ${number}`);
    }
    const { owner, sig } = (sign ?? {}) as { owner?: unknown; sig?: unknown };
    const heard = this.#book.find(number)?.heard.get(sender);
    const print = printOf(text);
    if (print === heard?.print || print === heard?.contradictingPrint) return { kind: "known", heard };
    if (heard?.contradictingPrint !== undefined) return excess(sender, number);
    const bytesMax = messageBytesMax(roster.nodes.length);
    if (text.length > bytesMax) return refused(413, `the message has more than ${bytesMax} bytes`, sender);
    if (owner !== publicKey || typeof sig !== "string") {
      return refused(400, `the message is not signed with the key of ${shortId(sender)}`, sender);
    }
    return candidateOf(value, text, sig, print);
  }

  /**
   * What a candidate comes to. It is looked up again: while its signature was checked, somebody else may have
   * brought the same message.
   */
  judge({ message }: Candidate, isSigned: boolean): Verdict {
    const { cycle, sender, hash } = message;
    if (!isSigned) return refused(400, `the signature of ${shortId(sender)}'s message does not hold`, sender);
    const heard = this.#book.find(cycle)?.heard.get(sender);
    if (heard?.hash === hash) return { kind: "known", heard };
    return heard?.contradictingPrint === undefined ? { kind: "new", message } : excess(sender, cycle);
  }
}

function candidateOf(value: object, text: string, sig: string, print: string): Screening {
  try {
    const { cycle, sender, hashes } = parseGossipMessage(value, "the message");
    const message = { cycle, sender, hash: sig.slice(SIGNED_HASH_AT).toLowerCase(), text, print, hashes };
    return { kind: "candidate", candidate: { value, message } };
  } catch (error) {
    return refusedFor(error);
  }
}

/** Two messages prove that a sender contradicts itself; a third would only take up room. */
function excess(sender: string, cycle: number): Refused {
  return refused(
    409,
    `two messages of ${shortId(sender)} for cycle ${cycle} contradict each other already`,
    sender,
  );
}

function messageBytesMax(numNodes: number): number {
  return Math.min(gossipMessageBytesMax, pushedMessageBytesBase + pushedMessageBytesPerNode * numNodes);
}

function refused(status: Refused["status"], problem: string, sender?: string): Refused {
  return { kind: "refused", status, problem, ...(sender === undefined ? {} : { sender }) };
}

function refusedFor(error: unknown): Refused {
  if (error instanceof WireError) return refused(400, quoted(error.message));
  throw error;
}
