/** The port for requests to validators for the gossip of a cycle, and the failures of a response. */

import { gossipUnsignedMax } from "../../limits/gossip.ts";
import type { Cycle } from "../../protocol/brands.ts";
import type { ActiveNode } from "../../protocol/node.ts";

export interface GossipRequest {
  readonly signal: AbortSignal;
  /** How long the response may take as a whole. */
  readonly deadlineMs?: number;
  /** A longer message is skipped: an honest node forwards whatever has a valid signature. */
  readonly messageBytesMax?: number;
}

export interface GossipSource {
  /**
   * Requests the messages of a cycle from one node.
   *
   * @returns the messages as received, in batches as they arrive; a batch is only valid until the next one
   * @throws GossipError
   */
  request(node: ActiveNode, cycle: Cycle, request: GossipRequest): AsyncIterable<readonly Buffer[]>;
}

export type GossipErrorKind =
  /** The node states that the cycle is not finalized yet. */
  | "not-finalized"
  /** The node is unreachable or busy, and may respond later. */
  | "temporary"
  /** The node has no response to this request. */
  | "permanent"
  /** The node redirects the request, or sends more than any transfer may have. */
  | "unacceptable"
  /** The response is not a list of messages, or too many of its messages have no valid signature. */
  | "malformed"
  /** The response ends before its list does. */
  | "truncated"
  /** The response exceeds a bound of ours. An honest node may forward messages that others made so large. */
  | "too-large"
  /** The caller ended the request. */
  | "aborted";

export class GossipError extends Error {
  override readonly name = "GossipError";
  readonly code = "gossip";
  readonly kind: GossipErrorKind;

  constructor(kind: GossipErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Returns whether the same request may succeed later. */
export function isTemporary({ kind }: GossipError): boolean {
  switch (kind) {
    case "not-finalized":
    case "temporary":
    case "truncated":
      return true;
    case "permanent":
    case "unacceptable":
    case "malformed":
    case "too-large":
    case "aborted":
      return false;
  }
}

/** Returns whether no honest node sends such a response. */
export function isInvalidResponse({ kind }: GossipError): boolean {
  switch (kind) {
    case "malformed":
    case "truncated":
      return true;
    case "not-finalized":
    case "temporary":
    case "permanent":
    case "unacceptable":
    case "too-large":
    case "aborted":
      return false;
  }
}

/**
 * Takes the messages of a response one by one.
 *
 * @param take returns whether an honest node would forward the message
 * @throws GossipError `malformed` if there are too many that no honest node would forward
 */
export async function takeMessages(
  batches: AsyncIterable<readonly Buffer[]>,
  take: (message: Buffer) => boolean,
): Promise<void> {
  let refused = 0;
  for await (const batch of batches) {
    for (const message of batch) {
      if (take(message) || ++refused <= gossipUnsignedMax) continue;
      throw new GossipError("malformed", `more than ${gossipUnsignedMax} messages without a valid signature`);
    }
  }
}
