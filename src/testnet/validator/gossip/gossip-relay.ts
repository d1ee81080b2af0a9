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
import { HttpError } from "../../../http-server/http-error.ts";
import { signatureChecksAtOnce } from "../../../limits/collect.ts";
import { asCycle, asNodeIndex, type Cycle, type NodeId, type NodeIndex } from "../../../protocol/brands.ts";
import { type Sign, signatureHoldsAsync, signedHash } from "../../../protocol/crypto/signature.ts";
import type { ActiveNode } from "../../../protocol/node.ts";
import { makeShard } from "../../../protocol/shard.ts";
import { parseGossipMessage } from "../../../wire/gossip-message.ts";
import {
  agreementCyclesMax,
  gossipCyclesAhead,
  gossipCyclesBehind,
  gossipKeptBytesMax,
} from "../../limits.ts";
import type { Membership } from "../membership/membership.ts";
import { PeerOutbox } from "./peer-outbox.ts";
import { countOf, messagesIn, type PushOutcome } from "./pushed-messages.ts";
import { ReceivedGossip } from "./received-gossip.ts";

export interface RelayOptions {
  readonly membership: Membership;
  readonly gossip: PartitionGossip;
  /** Returns the messages to forward; an honest validator forwards them unchanged. */
  readonly forwarded: (cycle: Cycle, messages: readonly string[]) => readonly string[];
  /** Called when a message of a cycle was admitted. */
  readonly onMessage: (cycle: Cycle) => void;
}

type Validator = Pick<ActiveNode, "id" | "publicKey">;

export class GossipRelay {
  readonly #options: RelayOptions;
  /** By node ID. */
  readonly #outboxes = new Map<NodeId, PeerOutbox>();
  /** By the list of nodes, which is a new one after each change. */
  readonly #validatorSets = new WeakMap<readonly Validator[], ValidatorSet>();
  readonly #seen = new KnownVotes();
  readonly #received = new ReceivedGossip(gossipKeptBytesMax);
  /** Checks signatures on other threads, a few at once: a forged one costs its sender nothing. */
  readonly #checks = pLimit(signatureChecksAtOnce);
  #currentCycle = asCycle(0);

  constructor(options: RelayOptions) {
    this.#options = options;
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
    for (const { index, outbox } of this.#peersIn(cycle)) outbox.add(index % 2 === 0 ? first : last);
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
   * @throws HttpError with status 400; 503 while no node is known
   */
  async receive(body: string): Promise<PushOutcome> {
    if (this.#options.membership.known.length === 0) {
      throw new HttpError(503, "this validator is starting", { retryAfterSeconds: 1 });
    }
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

  /** Moves the window: forgets earlier cycles, forged ones of the far future, and peers that have left. */
  cycleBegan(cycle: Cycle): void {
    this.#currentCycle = cycle;
    const { oldest, newest } = this.#window;
    this.#seen.dropBefore(oldest);
    this.#received.keep((known) => known >= oldest && known <= newest);
    for (const { id, removed } of this.#options.membership.known) {
      if (removed === undefined || removed > cycle - agreementCyclesMax) continue;
      void this.#outboxes.get(id)?.stop();
      this.#outboxes.delete(id);
    }
  }

  /** Resolves when everything that was queued is sent or given up. */
  async flush(): Promise<void> {
    await Promise.all([...this.#outboxes.values()].map((outbox) => outbox.flush()));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#outboxes.values()].map((outbox) => outbox.stop()));
  }

  get #window(): VoteWindow {
    return {
      oldest: asCycle(Math.max(0, this.#currentCycle - gossipCyclesBehind)),
      newest: asCycle(this.#currentCycle + gossipCyclesAhead),
    };
  }

  async #admit(message: Buffer): Promise<Admission> {
    const check = (sign: Sign) => this.#checks(() => signatureHoldsAsync(sign));
    const validatorSetOf = (cycle: Cycle | undefined) => this.#validatorSetOf(cycle);
    const admission = await admitAsync(message, this.#window, validatorSetOf, this.#seen, check);
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
      for (const { outbox } of this.#peersIn(cycle)) outbox.add(forwarded);
    }
  }

  /**
   * Returns the validator set of a cycle. That of a cycle which this validator has not finished may still change: every
   * known node may vote then. The Collector of the cycle counts only its nodes.
   */
  #validatorSetOf(cycle: Cycle | undefined): ValidatorSet {
    const { membership } = this.#options;
    const isFinished = cycle !== undefined && cycle < this.#currentCycle;
    const finished = isFinished ? membership.geometryOf(cycle) : undefined;
    const nodes: readonly Validator[] = finished?.nodes ?? membership.known;
    const cached = this.#validatorSets.get(nodes);
    if (cached !== undefined) return cached;
    // The bounds fit any group size.
    const numNodes = nodes.length;
    const made = makeValidatorSet(nodes, makeShard({ numNodes, nodesPerConsensusGroup: numNodes }));
    this.#validatorSets.set(nodes, made);
    return made;
  }

  /** Returns the peers on the ring of a cycle, with their indices; none if this validator is not a node of the cycle. */
  #peersIn(cycle: Cycle): { index: NodeIndex; outbox: PeerOutbox }[] {
    const geometry = this.#options.membership.geometryOf(cycle);
    if (geometry?.ownIndex === undefined) return [];
    const { nodes, ownIndex } = geometry;
    return peersOf(ownIndex, nodes.length).flatMap((index) => {
      const node = nodes[index];
      return node?.url === undefined ? [] : [{ index, outbox: this.#outboxOf(node.id, node.url) }];
    });
  }

  #outboxOf(id: NodeId, url: string): PeerOutbox {
    const outbox = this.#outboxes.get(id) ?? new PeerOutbox(url);
    this.#outboxes.set(id, outbox);
    return outbox;
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
