/** Attributes messages without a valid signature to the nodes that forwarded them, once all responses are in. */

import type { Offence } from "../../errors/offence.ts";
import type { NodeId } from "../../protocol/brands.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import type { Received } from "../admission/admit.ts";
import type { Fault } from "./fault.ts";

interface UnsignedMessage {
  readonly problem: string;
  readonly sender: NodeId | undefined;
  readonly relays: Set<string>;
}

export interface Attribution {
  /** One for each node. */
  readonly offences: readonly Offence[];
  /** The problem of a message for which no node is blamed. */
  readonly unattributed: string | undefined;
}

export class RelayFaults {
  /** By a hash of the text as received. */
  readonly #unsigned = new Map<string, UnsignedMessage>();
  /** Nodes that have forwarded any message. */
  readonly #relays = new Set<string>();
  readonly #suspects = new Set<string>();

  /** Records that a node has forwarded a message, valid or not. */
  addRelay(relay: string): void {
    this.#relays.add(relay);
  }

  /** Returns whether a node has forwarded a message without a valid signature. It is not queried again. */
  isSuspect(node: string): boolean {
    return this.#suspects.has(node);
  }

  add({ relay, problem, sender }: Extract<Fault, { readonly kind: "relayed" }>, received: Received): void {
    this.#suspects.add(relay);
    const key = hashText(received);
    const known = this.#unsigned.get(key) ?? { problem, sender, relays: new Set() };
    known.relays.add(relay);
    this.#unsigned.set(key, known);
  }

  /**
   * Decides which nodes are to blame. If most nodes forward the same message, they parse it differently than we do:
   * then only its sender is to blame, and only if it forwards the message itself.
   */
  attribute(): Attribution {
    const problems = new Map<string, string>();
    let unattributed: string | undefined;
    for (const { problem, sender, relays } of this.#unsigned.values()) {
      const isCommon = relays.size > 1 && relays.size * 2 > this.#relays.size;
      const blamed = isCommon ? [...relays].filter((relay) => relay === sender) : [...relays];
      for (const relay of blamed) if (!problems.has(relay)) problems.set(relay, problem);
      if (blamed.length === 0) unattributed ??= problem;
    }
    const offences = [...problems].map(([node, problem]): Offence => {
      return { node, kind: "invalid-gossip", detail: `it forwarded ${problem}` };
    });
    return { offences, unattributed };
  }
}
