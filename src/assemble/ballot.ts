/**
 * Takes in gossip from anybody who may lie, and lets only votes through: of active nodes, for the right
 * cycle, with a signature that holds (PROTOCOL.md, Partition gossip).
 */

import { Collector, type CycleShard } from "../gossip/collector.ts";
import { canonicalTextOf } from "../model/canonical.ts";
import { hashText } from "../model/hash.ts";
import { gossipMessageBytesBase, gossipMessageBytesPerPartition } from "../model/limits.ts";
import type { ActiveNode } from "../model/node.ts";
import { isSignedBy, type Sign, signedHash } from "../model/signature.ts";
import { type GossipMessage, parseGossipMessage } from "../wire/gossip-message.ts";
import { parseJson, WireError } from "../wire/parse.ts";

/** What became of one message. */
export type Ballot =
  | { readonly outcome: "counted" | "known" | "stranger" | "other-cycle" }
  /** `sender` is who it says it is of, where it says so; `isProven` where that node's signature says so. */
  | {
      readonly outcome: "invalid";
      readonly problem: string;
      readonly sender: string | undefined;
      readonly isProven: boolean;
    }
  | { readonly outcome: "equivocation"; readonly sender: string };

interface Counted {
  /** Of the text as it came: most messages come again and again, letter for letter. */
  readonly textHash: string;
  /** What is signed. */
  readonly signedHash: string;
  /** Canonically, and without what others can add beside the signature. */
  readonly text: string;
}

export class BallotBox {
  readonly collector: Collector;
  readonly #hashKey: string;
  readonly #bytesMax: number;
  readonly #keyOf: ReadonlyMap<string, string>;
  readonly #counted = new Map<string, Counted>();
  /** Second, different messages: evidence, and no votes. */
  readonly #equivocations = new Map<string, Counted>();

  constructor(shard: CycleShard, nodes: readonly ActiveNode[], hashKey: string) {
    this.collector = new Collector(shard, hashKey);
    this.#hashKey = hashKey;
    this.#bytesMax = gossipMessageBytesBase + gossipMessageBytesPerPartition * (shard.numNodes + 1);
    this.#keyOf = new Map(nodes.map((node) => [node.id, node.publicKey]));
  }

  /** @param text a message as received */
  cast(text: string, source: string): Ballot {
    let received: unknown;
    try {
      received = parseJson(text, source);
      return this.#castParsed(parseGossipMessage(received, source), text);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const { sender } = (received ?? {}) as { sender?: unknown };
      const isProven = typeof sender === "string" && this.#isSignedBySender(received, sender);
      return { outcome: "invalid", problem: error.message, sender: isProven ? sender : undefined, isProven };
    }
  }

  /** All messages worth keeping, ascending by sender, one a line: those counted, and what contradicts them. */
  *evidence(): Generator<Buffer, void, void> {
    for (const sender of [...this.#counted.keys()].sort()) {
      for (const text of [this.#counted.get(sender)?.text, this.#equivocations.get(sender)?.text]) {
        if (text !== undefined) yield Buffer.from(`${text}\n`);
      }
    }
  }

  #castParsed(message: GossipMessage, text: string): Ballot {
    const { sender, cycle, received } = message;
    if (cycle !== this.collector.shard.cycleNumber) return { outcome: "other-cycle" };
    if (!this.#keyOf.has(sender)) return { outcome: "stranger" };
    const known = this.#counted.get(sender);
    const second = this.#equivocations.get(sender);
    const textHash = hashText(text, this.#hashKey);
    if (known?.textHash === textHash || second?.textHash === textHash) return { outcome: "known" };
    if (!this.#isSignedBySender(received, sender)) {
      const problem = `the message of ${sender} is not signed with that node's key`;
      return { outcome: "invalid", problem, sender, isProven: false };
    }
    const counted = { textHash, signedHash: signedHash(received, this.#hashKey), text: signedText(received) };
    if (counted.text.length > this.#bytesMax) {
      const problem = `the message of ${sender} has ${counted.text.length} bytes, more than ${this.#bytesMax}`;
      return { outcome: "invalid", problem, sender, isProven: true };
    }
    if (known === undefined) {
      this.#counted.set(sender, counted);
      this.collector.process([message]);
      return { outcome: "counted" };
    }
    if (known.signedHash === counted.signedHash || second !== undefined) return { outcome: "known" };
    this.#equivocations.set(sender, counted);
    return { outcome: "equivocation", sender };
  }

  #isSignedBySender(received: unknown, sender: string): boolean {
    const publicKey = this.#keyOf.get(sender);
    const { sign } = received as { sign?: { owner?: unknown } | null };
    return publicKey !== undefined && sign?.owner === publicKey && isSignedBy(received, this.#hashKey);
  }
}

/** The message as its sender signed it: a signature is two fields, and whatever else is there is not signed. */
function signedText(received: object): string {
  const { sign, ...unsigned } = received as { sign: Sign };
  return canonicalTextOf({ ...unsigned, sign: { owner: sign.owner, sig: sign.sig } });
}
