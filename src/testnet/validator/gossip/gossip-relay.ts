/**
 * How gossip travels between validators: each sends its own messages to some others, and forwards each valid
 * message that it hears, once. What is not validly signed by an active node goes no further.
 */

import pLimit from "p-limit";
import type { PartitionGossip } from "../../../agreement/upstream/partition-gossip.ts";
import {
  gossipCyclesAhead,
  gossipCyclesBehind,
  gossipHeardBytesMax,
  gossipMessageBytesBase,
  gossipMessageBytesPerPartition,
  gossipMessagesPerPushMax,
  gossipMessagesPerSenderMax,
  gossipPushValuesMax,
  signatureChecksAtOnce,
} from "../../../limits/limits.ts";
import { isSignedByAsync, signedHash } from "../../../protocol/crypto/signature.ts";
import type { ActiveNode } from "../../../protocol/node.ts";
import { type GossipMessage, parseGossipMessage } from "../../../wire/gossip-message.ts";
import { defaultJsonBounds, type JsonBounds } from "../../../wire/json-bounds.ts";
import { parseJson, WireError } from "../../../wire/parse.ts";
import { HttpError } from "../http-error.ts";
import { PeerOutbox } from "./peer-outbox.ts";
import { ReceivedGossip } from "./received-gossip.ts";
import { signedContent } from "./signed-content.ts";

export interface RelayOptions {
  /** All active nodes, in ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  /** Our own index among them. */
  readonly index: number;
  readonly gossip: PartitionGossip;
  /** What becomes of messages that are forwarded; an honest validator forwards them as they are. */
  readonly forwarded: (cycle: number, messages: readonly string[]) => readonly string[];
  /** Called when a message of a cycle was taken in. */
  readonly onMessage: (cycle: number) => void;
}

/** What came of one push. */
export interface PushOutcome {
  readonly taken: number;
  readonly known: number;
  readonly refused: number;
}

export class GossipRelay {
  readonly #options: RelayOptions;
  readonly #nodes: ReadonlyMap<string, ActiveNode>;
  readonly #outboxes: readonly PeerOutbox[];
  readonly #heard: ReceivedGossip;
  /** Signatures are checked on other threads: to make one up costs nothing, and must not cost every core. */
  readonly #checks = pLimit(signatureChecksAtOnce);
  readonly #messageBytesMax: number;
  #currentCycle = 0;

  constructor(options: RelayOptions) {
    const { nodes, index } = options;
    this.#options = options;
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
    this.#outboxes = peersOf(index, nodes.length).map((peer) => new PeerOutbox(peer, nodes[peer]?.url ?? ""));
    this.#heard = new ReceivedGossip(gossipMessagesPerSenderMax, gossipHeardBytesMax);
    this.#messageBytesMax = gossipMessageBytesBase + gossipMessageBytesPerPartition * (nodes.length + 1);
  }

  /** The messages of a cycle as JSON; `undefined` where there are none. */
  messagesOf(cycle: number): readonly string[] | undefined {
    return this.#heard.messagesOf(cycle);
  }

  /**
   * Sends our own messages of a cycle, as JSON: the first to every second peer and the last to the others. (An
   * honest validator has one.)
   */
  send(cycle: number, messages: readonly string[]): void {
    const [first, last] = [messages[0], messages.at(-1)];
    if (first === undefined || last === undefined) return;
    for (const outbox of this.#outboxes) outbox.add(outbox.peer % 2 === 0 ? first : last);
    const received = JSON.parse(first) as object;
    const own = parseGossipMessage(received, "own");
    if (!this.#heard.add(own, first, signedHash(received))) return;
    this.#options.gossip.receive(own);
    this.#options.onMessage(cycle);
  }

  /**
   * Takes what another validator sends: a message, or `{"messages": […]}`.
   *
   * @throws HttpError with status 400
   */
  async receive(body: string): Promise<PushOutcome> {
    const outcome = { taken: 0, known: 0, refused: 0 };
    for (const message of messagesIn(body)) outcome[await this.#take(message)]++;
    return outcome;
  }

  /** Forgets what nobody will ask for any more, and what is made up of the far future. */
  cycleBegan(cycle: number): void {
    this.#currentCycle = cycle;
    this.#heard.keep((known) => this.#isNear(known));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox.stop()));
  }

  async #take(received: object): Promise<keyof PushOutcome> {
    const signed = signedContent(received);
    if (signed === undefined || signed.text.length > this.#messageBytesMax) return "refused";
    // The signature comes before all else; only what has been found valid before is not checked again.
    if (this.#heard.has(signed.hash)) return "known";
    if (!(await this.#checks(() => isSignedByAsync(signed.content)))) return "refused";
    let message: GossipMessage;
    try {
      message = parseGossipMessage(signed.content, "push");
    } catch {
      return "refused";
    }
    const { cycle, sender } = message;
    if (this.#nodes.get(sender)?.publicKey !== signed.owner || !this.#isNear(cycle)) return "refused";
    if (!this.#heard.add(message, signed.text, signed.hash)) return "known";
    this.#options.gossip.receive(message);
    for (const forwarded of this.#options.forwarded(cycle, [signed.text])) {
      for (const outbox of this.#outboxes) outbox.add(forwarded);
    }
    this.#options.onMessage(cycle);
    return "taken";
  }

  #isNear(cycle: number): boolean {
    return (
      cycle >= this.#currentCycle - gossipCyclesBehind && cycle <= this.#currentCycle + gossipCyclesAhead
    );
  }
}

/** Those at distances of powers of two on both sides: with them, a message is everywhere after few steps, and
 *  many may be down before it is not. */
function peersOf(index: number, numNodes: number): number[] {
  const peers = new Set<number>();
  for (let distance = 1; distance <= numNodes / 2; distance *= 2) {
    peers.add((index + distance) % numNodes);
    peers.add((index - distance + numNodes) % numNodes);
  }
  peers.delete(index);
  return [...peers];
}

/** Bodies of many pushes are parsed at once: a message of the largest network fits. */
const pushBounds: JsonBounds = { ...defaultJsonBounds, valuesMax: gossipPushValuesMax };

function messagesIn(body: string): readonly object[] {
  let json: unknown;
  try {
    json = parseJson(body, "the request's body", pushBounds);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new HttpError(400, error.message);
  }
  const { messages } = (json ?? {}) as { messages?: unknown };
  const list = Array.isArray(messages) ? messages : [json];
  if (list.length > gossipMessagesPerPushMax) {
    throw new HttpError(400, `messages: more than ${gossipMessagesPerPushMax}`);
  }
  return list.filter((message): message is object => typeof message === "object" && message !== null);
}
