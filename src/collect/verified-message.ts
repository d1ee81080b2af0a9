/** Reads a stored gossip message and checks its signature, before anything is counted or anybody is accused by it. */

import { hashText } from "../protocol/crypto/hash.ts";
import { claimedHash, signatureHolds, signOf } from "../protocol/crypto/signature.ts";
import { type GossipMessage, parseGossipMessage } from "../wire/gossip-message.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import { signedContent } from "../wire/signed-text.ts";

export interface VerifiedMessage {
  readonly message: GossipMessage;
  /** The key that has signed it. */
  readonly owner: string;
  /** The hash that is signed. */
  readonly hash: string;
}

/** The message in a stored text, read from its signed content; `undefined` unless its signature holds. */
export function verifiedMessage(text: string, hashKey?: string): VerifiedMessage | undefined {
  try {
    const object = parseJson(text, "a stored message");
    if (typeof object !== "object" || object === null) return undefined;
    const sign = signOf(object);
    const content = signedContent(object);
    if (sign === undefined || content === undefined) return undefined;
    const hash = hashText(content, hashKey);
    if (hash !== claimedHash(sign) || !signatureHolds(sign)) return undefined;
    const message = parseGossipMessage(parseJson(content, "a stored message"), "a stored message");
    return { message, owner: sign.owner, hash };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
