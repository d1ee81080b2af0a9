/**
 * Takes in gossip from anybody who may lie, and lets only votes through: of active nodes, for the right
 * cycle, with a signature that holds (PROTOCOL.md, Partition gossip).
 */

import { Collector, type CycleShard } from "../gossip/collector.ts";
import type { ActiveNode } from "../model/node.ts";
import { isSignedBy, signedHash } from "../model/signature.ts";
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
  readonly text: string;
  readonly hash: string;
}

export class BallotBox {
  readonly collector: Collector;
  readonly #hashKey: string;
  readonly #keyOf: ReadonlyMap<string, string>;
  readonly #counted = new Map<string, Counted>();
  /** Second, different messages: evidence, and no votes. */
  readonly #equivocations = new Map<string, string>();

  constructor(shard: CycleShard, nodes: readonly ActiveNode[], hashKey: string) {
    this.collector = new Collector(shard, hashKey);
    this.#hashKey = hashKey;
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
      for (const text of [this.#counted.get(sender)?.text, this.#equivocations.get(sender)]) {
        if (text !== undefined) yield Buffer.from(`${JSON.stringify(JSON.parse(text))}\n`);
      }
    }
  }

  #castParsed(message: GossipMessage, text: string): Ballot {
    const { sender, cycle, received } = message;
    if (cycle !== this.collector.shard.cycleNumber) return { outcome: "other-cycle" };
    if (!this.#keyOf.has(sender)) return { outcome: "stranger" };
    const known = this.#counted.get(sender);
    if (known?.text === text || this.#equivocations.get(sender) === text) return { outcome: "known" };
    if (!this.#isSignedBySender(received, sender)) {
      const problem = `the message of ${sender} is not signed with that node's key`;
      return { outcome: "invalid", problem, sender, isProven: false };
    }
    const hash = signedHash(received, this.#hashKey);
    if (known === undefined) {
      this.#counted.set(sender, { text, hash });
      this.collector.process([message]);
      return { outcome: "counted" };
    }
    if (known.hash === hash || this.#equivocations.has(sender)) return { outcome: "known" };
    this.#equivocations.set(sender, text);
    return { outcome: "equivocation", sender };
  }

  #isSignedBySender(received: unknown, sender: string): boolean {
    const publicKey = this.#keyOf.get(sender);
    const { sign } = received as { sign?: { owner?: unknown } | null };
    return publicKey !== undefined && sign?.owner === publicKey && isSignedBy(received, this.#hashKey);
  }
}
