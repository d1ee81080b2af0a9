/**
 * Gossip between validators. Each sends its own messages to some peers, and forwards each message that it admits, once.
 * A message without a valid signature of an active node goes no further.
 */

import pLimit from "p-limit";
import type { Admission, Vote } from "../../../agreement/admission/admission.ts";
import { admitAsync, type VoteWindow } from "../../../agreement/admission/admit.ts";
import { KnownVotes } from "../../../agreement/admission/known-votes.ts";
import { makeValidatorSet, type ValidatorSet } from "../../../agreement/admission/validator-set.ts";
import type { PartitionGossip } from "../../../agreement/upstream/partition-gossip.ts";
import { signatureChecksAtOnce } from "../../../limits/collect.ts";
import { asCycle, asNodeIndex, type Cycle, type NodeIndex } from "../../../protocol/brands.ts";
import { type Sign, signatureHoldsAsync, signedHash } from "../../../protocol/crypto/signature.ts";
import type { ActiveNode } from "../../../protocol/node.ts";
import { makeShard } from "../../../protocol/shard.ts";
import { parseGossipMessage } from "../../../wire/gossip-message.ts";
import { gossipCyclesAhead, gossipCyclesBehind, gossipKeptBytesMax } from "../../limits.ts";
import { HttpError } from "../http-error.ts";
import { PeerOutbox } from "./peer-outbox.ts";
import { countOf, messagesIn, type PushOutcome } from "./pushed-messages.ts";
import { ReceivedGossip } from "./received-gossip.ts";

export interface RelayOptions {
  /** All active nodes, in ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  /** The index of this validator among them. */
  readonly index: NodeIndex;
  readonly gossip: PartitionGossip;
  /** Returns the messages to forward; an honest validator forwards them unchanged. */
  readonly forwarded: (cycle: Cycle, messages: readonly string[]) => readonly string[];
  /** Called when a message of a cycle was admitted. */
  readonly onMessage: (cycle: Cycle) => void;
}

export class GossipRelay {
  readonly #options: RelayOptions;
  readonly #outboxes: readonly PeerOutbox[];
  readonly #validators: ValidatorSet;
  readonly #seen = new KnownVotes();
  readonly #received = new ReceivedGossip(gossipKeptBytesMax);
  /** Checks signatures on other threads, a few at once: a forged one costs its sender nothing. */
  readonly #checks = pLimit(signatureChecksAtOnce);
  #currentCycle = asCycle(0);

  constructor(options: RelayOptions) {
    const { nodes, index } = options;
    const numNodes = nodes.length;
    this.#options = options;
    this.#outboxes = peersOf(index, numNodes).map((peer) => new PeerOutbox(peer, nodes[peer]?.url ?? ""));
    // The bounds fit any group size.
    this.#validators = makeValidatorSet(nodes, makeShard({ numNodes, nodesPerConsensusGroup: numNodes }));
  }

  /** The messages of a cycle as JSON; `undefined` where there are none. */
  messagesOf(cycle: Cycle): readonly string[] | undefined {
    return this.#received.messagesOf(cycle);
  }

  /**
   * Sends this validator's own messages of a cycle, as JSON: the first to every second peer and the last to the others.
   * (An honest validator has one.)
   */
  send(cycle: Cycle, messages: readonly string[]): void {
    const [first, last] = [messages[0], messages.at(-1)];
    if (first === undefined || last === undefined) return;
    for (const outbox of this.#outboxes) outbox.add(outbox.peer % 2 === 0 ? first : last);
    const object = JSON.parse(first) as object;
    const hash = signedHash(object);
    if (this.#seen.withHash(hash) !== undefined) return;
    const { sender, hashes } = parseGossipMessage(object, "own");
    const vote = { cycle, sender, hash, text: first, hashes };
    this.#seen.add(vote);
    this.#keep(vote);
  }

  /**
   * Receives a push of another validator: one message, or `{"messages": […]}`.
   *
   * @throws HttpError with status 400
   */
  async receive(body: string): Promise<PushOutcome> {
    const outcome = { taken: 0, known: 0, refused: 0 };
    for (const message of messagesIn(Buffer.from(body))) {
      const admission = await this.#admit(message);
      if (admission.kind === "rejected" && admission.reason === "not-json") {
        throw new HttpError(400, admission.problem);
      }
      outcome[countOf(admission)]++;
    }
    return outcome;
  }

  /** Moves the window: forgets earlier cycles, and forged ones of the far future. */
  cycleBegan(cycle: Cycle): void {
    this.#currentCycle = cycle;
    const { oldest, newest } = this.#window;
    this.#seen.dropBefore(oldest);
    this.#received.keep((known) => known >= oldest && known <= newest);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox.stop()));
  }

  get #window(): VoteWindow {
    return {
      oldest: asCycle(Math.max(0, this.#currentCycle - gossipCyclesBehind)),
      newest: asCycle(this.#currentCycle + gossipCyclesAhead),
    };
  }

  async #admit(message: Buffer): Promise<Admission> {
    const check = (sign: Sign) => this.#checks(() => signatureHoldsAsync(sign));
    const admission = await admitAsync(message, this.#window, () => this.#validators, this.#seen, check);
    switch (admission.kind) {
      case "new":
      case "equivocation":
        this.#forward(admission.vote);
        this.#keep(admission.vote);
        break;
      case "duplicate":
      case "rejected":
        break;
    }
    return admission;
  }

  #forward({ cycle, text }: Vote): void {
    for (const forwarded of this.#options.forwarded(cycle, [text])) {
      for (const outbox of this.#outboxes) outbox.add(forwarded);
    }
  }

  #keep({ cycle, sender, text, hashes }: Vote): void {
    this.#received.add({ cycle, sender, text });
    this.#options.gossip.receive({ cycle, sender, hashes, received: JSON.parse(text) as object });
    this.#options.onMessage(cycle);
  }
}

/** The peers at distances of powers of two on both sides. A message reaches all validators after few steps, also where
 *  many of them are down. */
function peersOf(index: NodeIndex, numNodes: number): NodeIndex[] {
  const peers = new Set<NodeIndex>();
  for (let distance = 1; distance <= numNodes / 2; distance *= 2) {
    peers.add(asNodeIndex((index + distance) % numNodes));
    peers.add(asNodeIndex((index - distance + numNodes) % numNodes));
  }
  peers.delete(index);
  return [...peers];
}
