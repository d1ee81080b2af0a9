/**
 * Verifies a vote that was admitted and stored earlier: the file may have been damaged since, or written by another
 * program. The node list of that time may be unknown, so that the signature is checked against the key in the vote.
 */

import { hashText } from "../../protocol/crypto/hash.ts";
import { claimedHash, signatureHolds, signOf } from "../../protocol/crypto/signature.ts";
import { parseGossipMessage } from "../../wire/gossip-message.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import { signedContent } from "../../wire/signed-text.ts";
import type { Vote } from "./admission.ts";

export interface VerifiedVote extends Vote {
  /** The key that has signed it, in lower case. Only a node list tells whether it is the sender's. */
  readonly owner: string;
}

/** Returns the vote in a stored text, read from its signed content; `undefined` unless its signature holds. */
export function verifyVote(text: string, hashKey?: string): VerifiedVote | undefined {
  try {
    const object = parseJson(text, "a stored message");
    if (typeof object !== "object" || object === null) return undefined;
    const sign = signOf(object);
    const content = signedContent(object);
    if (sign === undefined || content === undefined) return undefined;
    const hash = hashText(content, hashKey);
    if (hash !== claimedHash(sign) || !signatureHolds(sign)) return undefined;
    const message = parseGossipMessage(parseJson(content, "a stored message"), "a stored message");
    const { cycle, sender, hashes } = message;
    return { cycle, sender, hash, text, hashes, owner: sign.owner };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
