/**
 * How gossip travels between validators: each sends its own messages to some others, and forwards each valid
 * message that it hears, once. What is not validly signed by an active node goes no further.
 */

import type { PartitionGossip } from "../gossip/partition-gossip.ts";
import { messageOf } from "../model/failure.ts";
import {
  gossipCyclesAhead,
  gossipCyclesBehind,
  gossipMessagesPerPushMax,
  gossipMessagesPerSenderMax,
} from "../model/limits.ts";
import type { ActiveNode } from "../model/node.ts";
import { isSignedByAsync } from "../model/signature.ts";
import { type GossipMessage, parseGossipMessage } from "../wire/gossip-message.ts";
import { PeerOutbox } from "./peer-outbox.ts";
import { Refusal } from "./refusal.ts";

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
  /** Cycle → sender → messages as JSON, whose signatures hold: what others are answered with. */
  readonly #heard = new Map<number, Map<string, string[]>>();
  #currentCycle = 0;

  constructor(options: RelayOptions) {
    const { nodes, index } = options;
    this.#options = options;
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
    this.#outboxes = peersOf(index, nodes.length).map((peer) => new PeerOutbox(peer, nodes[peer]?.url ?? ""));
  }

  /** The messages of a cycle as JSON; `undefined` where there are none. */
  messagesOf(cycle: number): readonly string[] | undefined {
    const senders = this.#heard.get(cycle);
    return senders === undefined ? undefined : [...senders.values()].flat();
  }

  /**
   * Sends our own messages of a cycle, as JSON: the first to every second peer and the last to the others. (An
   * honest validator has one.)
   */
  send(cycle: number, messages: readonly string[]): void {
    const [first, last] = [messages[0], messages.at(-1)];
    if (first === undefined || last === undefined) return;
    for (const outbox of this.#outboxes) outbox.add(outbox.peer % 2 === 0 ? first : last);
    const own = parseGossipMessage(JSON.parse(first), "own");
    if (!this.#keep(own, first)) return;
    this.#options.gossip.receive(own);
    this.#options.onMessage(cycle);
  }

  /**
   * Takes what another validator sends: a message, or `{"messages": […]}`.
   *
   * @throws Refusal with status 400
   */
  async receive(body: string): Promise<PushOutcome> {
    const outcome = { taken: 0, known: 0, refused: 0 };
    for (const message of messagesIn(body)) outcome[await this.#take(message)]++;
    return outcome;
  }

  /** Forgets what nobody will ask for any more, and what is made up of the far future. */
  cycleBegan(cycle: number): void {
    this.#currentCycle = cycle;
    for (const known of this.#heard.keys()) {
      if (!this.#isNear(known)) this.#heard.delete(known);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox.stop()));
  }

  async #take(received: object): Promise<keyof PushOutcome> {
    const text = JSON.stringify(received);
    // The signature comes first; only what has been found valid before is not checked again.
    if (this.#isKnown(received as { cycle?: number; sender?: string }, text)) return "known";
    if (!(await isSignedByAsync(received))) return "refused";
    let message: GossipMessage;
    try {
      message = parseGossipMessage(received, "push");
    } catch {
      return "refused";
    }
    const { owner } = (received as { sign: { owner: string } }).sign;
    if (this.#nodes.get(message.sender)?.publicKey !== owner || !this.#isNear(message.cycle))
      return "refused";
    if (!this.#keep(message, text)) return "known";
    this.#options.gossip.receive(message);
    for (const forwarded of this.#options.forwarded(message.cycle, [text])) {
      for (const outbox of this.#outboxes) outbox.add(forwarded);
    }
    this.#options.onMessage(message.cycle);
    return "taken";
  }

  #isKnown({ cycle, sender }: { cycle?: number; sender?: string }, text: string): boolean {
    return (
      this.#heard
        .get(cycle ?? -1)
        ?.get(sender ?? "")
        ?.includes(text) === true
    );
  }

  /** Whether it is new, and one of the few of its sender that are kept. */
  #keep({ cycle, sender }: GossipMessage, text: string): boolean {
    const senders = this.#heard.get(cycle) ?? new Map<string, string[]>();
    const texts = senders.get(sender) ?? [];
    if (texts.includes(text) || texts.length >= gossipMessagesPerSenderMax) return false;
    texts.push(text);
    senders.set(sender, texts);
    this.#heard.set(cycle, senders);
    return true;
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

function messagesIn(body: string): readonly object[] {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    throw new Refusal(400, `the request's body is not JSON: ${messageOf(error)}`);
  }
  const { messages } = (json ?? {}) as { messages?: unknown };
  const list = Array.isArray(messages) ? messages : [json];
  if (list.length > gossipMessagesPerPushMax) {
    throw new Refusal(400, `messages: more than ${gossipMessagesPerPushMax}`);
  }
  return list.filter((message): message is object => typeof message === "object" && message !== null);
}
