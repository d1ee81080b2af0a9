/**
 * Who is to blame for gossip that does not count, and for votes against what is agreed.
 *
 * What a node signed itself convicts it, whoever passed it on. What nobody signed is held against the node that passed
 * it on over its own connection: it is `observed`, for an honest node passes on only what it has verified.
 */

import type { RunLog } from "../events/run-log.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { type Rejection, responsibleFor } from "./admission.ts";
import type { KnownVote } from "./known-votes.ts";
import type { VoteCollection } from "./vote-collection.ts";

interface UnsignedMessage {
  readonly problem: string;
  /** The node in whose name and with whose key it is, though its signature does not hold. */
  readonly sender: string | undefined;
  readonly relays: Set<string>;
}

export class GossipBlame {
  readonly #log: RunLog;
  /** By a hash of the text as received. */
  readonly #unsigned = new Map<string, UnsignedMessage>();
  /** Nodes that have passed on any message. */
  readonly #relays = new Set<string>();
  readonly #suspects = new Set<string>();

  constructor(log: RunLog) {
    this.#log = log;
  }

  /** A node has passed on a message, whatever it is worth. */
  heardFrom(relay: string): void {
    this.#relays.add(relay);
  }

  /** Whether a node has passed on what nobody has signed: it is asked no more. */
  isSuspect(node: string): boolean {
    return this.#suspects.has(node);
  }

  /** @param from the node, the file or the database that its second message came from */
  equivocated({ sender, cycle }: KnownVote, from: string): void {
    const detail = `two different messages for cycle ${cycle}; the second one came from ${from}`;
    this.#log.offence({ node: sender, kind: "equivocation", detail });
  }

  /**
   * Takes what was not admitted.
   *
   * @param relay the node that has passed it on; `undefined` for a file or a database, which are blamed for nothing
   * @returns whether an honest node would pass it on
   */
  rejected(rejection: Rejection, text: string, relay: string | undefined): boolean {
    const { problem, sender } = rejection;
    switch (responsibleFor(rejection.reason)) {
      case "signer":
        this.#blameSigner(rejection);
        return true;
      case "relay":
        if (relay !== undefined) {
          this.#suspect(relay, text, problem, rejection.reason === "other-key" ? undefined : sender);
        }
        return false;
      case "signing-relay":
        if (relay === undefined || relay !== sender) return true;
        this.#suspect(relay, text, problem, sender);
        return false;
      case "nobody":
        return true;
    }
  }

  /**
   * Blames those who have passed on what nobody has signed. Where most nodes pass the same message on, it is rather
   * that they all read it otherwise than we do: then only its sender is to blame, for its own response, and not even
   * the sender where our node list may have another key for it than theirs.
   */
  blameRelays(): void {
    const problems = new Map<string, string>();
    let unclear: string | undefined;
    for (const { problem, sender, relays } of this.#unsigned.values()) {
      const isCommon = relays.size > 1 && relays.size * 2 > this.#relays.size;
      const blamed = isCommon ? [...relays].filter((relay) => relay === sender) : [...relays];
      for (const relay of blamed) if (!problems.has(relay)) problems.set(relay, problem);
      if (blamed.length === 0) unclear ??= problem;
    }
    for (const [node, problem] of problems) {
      this.#log.offence({ node, kind: "invalid-gossip", detail: `it passed on ${problem}` });
    }
    if (unclear !== undefined) this.#log.warn(`gossip that does not count: ${unclear}`);
  }

  /** How long a message may be is a matter of the sharding settings: where nothing proves them, nobody is blamed. */
  #blameSigner({ reason, problem, sender }: Rejection): void {
    if (sender === undefined || (reason === "oversized" && !this.#log.areSettingsProved)) return;
    this.#log.offence({ node: sender, kind: "invalid-vote", detail: problem });
  }

  #suspect(relay: string, text: string, problem: string, sender: string | undefined): void {
    this.#suspects.add(relay);
    const key = hashText(text);
    const known = this.#unsigned.get(key) ?? { problem, sender, relays: new Set() };
    known.relays.add(relay);
    this.#unsigned.set(key, known);
  }
}

/** Blames votes for other hashes than the agreed ones, unless nothing proves the settings that they were counted by. */
export function blameDissenters(
  box: VoteCollection,
  partitionHashes: ReadonlyMap<number, string>,
  log: RunLog,
): void {
  if (!log.areSettingsProved) return;
  for (const sender of box.senders()) {
    for (const [partition, hash] of box.hashesOf(sender)) {
      const agreed = partitionHashes.get(partition);
      if (agreed === undefined || agreed === hash) continue;
      const detail = `voted for ${hash}, agreed is ${agreed}`;
      log.offence({ node: sender, kind: "dissenting-vote", partition, detail });
    }
  }
}
