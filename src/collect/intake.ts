/**
 * Judges one message, the cheapest checks first (PROTOCOL.md, Partition gossip): JSON, the cycle, the sender,
 * whether it is known, its size and owner, its form; and only then its signature, which costs more than all
 * the rest together.
 */

import { gossipMessageBytesMax, pushedMessageBytesBase, pushedMessageBytesPerNode } from "../model/limits.ts";
import { shortId } from "../model/node.ts";
import { isSignedBy } from "../model/signature.ts";
import type { SignedMessage } from "../store/hash-database.ts";
import { type GossipMessage, parseGossipMessage } from "../wire/gossip-message.ts";
import { parseJson, quoted, WireError } from "../wire/parse.ts";
import type { CycleBook, Heard } from "./cycle-book.ts";
import type { Hashes } from "./cycle-tally.ts";
import type { NetworkWatch } from "./network-watch.ts";
import type { SignatureBudget } from "./signature-budget.ts";

/** A message that passed every check. */
export interface CheckedMessage extends SignedMessage {
  readonly sig: string;
  readonly hashes: Hashes;
}

export type Verdict =
  | { readonly kind: "new"; readonly message: CheckedMessage }
  | { readonly kind: "known"; readonly heard: Heard }
  /** `sender` is who it says it is of, where that is an active node. */
  | {
      readonly kind: "refused";
      readonly status: 400 | 403 | 413 | 429;
      readonly problem: string;
      readonly sender?: string;
    };

/** Of `sign.sig`: the signature is 64 bytes, and the signed message follows it. */
const SIGNED_HASH_AT = 128;

export class Intake {
  readonly #watch: NetworkWatch;
  readonly #book: CycleBook;
  readonly #budget: SignatureBudget;
  readonly #hashKey: string;

  constructor(watch: NetworkWatch, book: CycleBook, budget: SignatureBudget, hashKey: string) {
    this.#watch = watch;
    this.#book = book;
    this.#budget = budget;
    this.#hashKey = hashKey;
  }

  /**
   * @param text one message as received
   * @param address of whoever brings it, to be held to account for bad signatures; none for a node that was
   *   asked, which has bounds of its own
   */
  check(text: string, address?: string): Verdict {
    let value: unknown;
    try {
      value = parseJson(text, "the message");
    } catch (error) {
      return refusedFor(error);
    }
    if (typeof value !== "object" || value === null) return refused(400, "the message is no object");
    const { cycle, sender, sign } = value as Partial<Record<string, unknown>>;
    if (!Number.isSafeInteger(cycle)) return refused(400, "cycle: expected a cycle number");
    return this.#checkSender(value, text, Number(cycle), sender, sign, address);
  }

  #checkSender(
    value: object,
    text: string,
    cycle: number,
    sender: unknown,
    sign: unknown,
    address: string | undefined,
  ): Verdict {
    const { oldestCycle, lastCycle, roster: active } = this.#watch;
    if (cycle < oldestCycle || cycle > lastCycle) {
      return refused(400, `cycle ${cycle} is not one of ${oldestCycle} to ${lastCycle}`);
    }
    const roster = this.#watch.rosterOf(cycle) ?? active;
    const publicKey = typeof sender === "string" ? roster.keyOf.get(sender) : undefined;
    if (typeof sender !== "string" || publicKey === undefined) {
      return refused(403, `the sender is no active node of cycle ${cycle}`);
    }
    const { owner, sig } = (sign ?? {}) as { owner?: unknown; sig?: unknown };
    const heard = this.#book.find(cycle)?.heard.get(sender);
    if (heard !== undefined && (heard.isContradicted || heard.sig === sig)) return { kind: "known", heard };
    const bytesMax = messageBytesMax(roster.nodes.length);
    if (text.length > bytesMax) return refused(413, `the message has more than ${bytesMax} bytes`, sender);
    if (owner !== publicKey || typeof sig !== "string") {
      return refused(400, `the message is not signed with the key of ${shortId(sender)}`, sender);
    }
    if (address !== undefined && !this.#budget.isLeft(address)) {
      return refused(429, "too many signatures from there did not hold", sender);
    }
    return this.#checkSignature(value, text, sig, heard, address);
  }

  #checkSignature(
    value: object,
    text: string,
    sig: string,
    heard: Heard | undefined,
    address: string | undefined,
  ): Verdict {
    let message: GossipMessage;
    try {
      message = parseGossipMessage(value, "the message");
    } catch (error) {
      return refusedFor(error);
    }
    const { cycle, sender, hashes } = message;
    if (!isSignedBy(value, this.#hashKey)) {
      if (address !== undefined) this.#budget.spend(address);
      return refused(400, `the signature of ${shortId(sender)}'s message does not hold`, sender);
    }
    const hash = sig.slice(SIGNED_HASH_AT).toLowerCase();
    if (heard !== undefined && hash === heard.sig.slice(SIGNED_HASH_AT).toLowerCase()) {
      return { kind: "known", heard };
    }
    return { kind: "new", message: { cycle, sender, hash, text, sig, hashes } };
  }
}

function messageBytesMax(numNodes: number): number {
  return Math.min(gossipMessageBytesMax, pushedMessageBytesBase + pushedMessageBytesPerNode * numNodes);
}

function refused(status: 400 | 403 | 413 | 429, problem: string, sender?: string): Verdict {
  return { kind: "refused", status, problem, ...(sender === undefined ? {} : { sender }) };
}

function refusedFor(error: unknown): Verdict {
  if (error instanceof WireError) return refused(400, quoted(error.message));
  throw error;
}
