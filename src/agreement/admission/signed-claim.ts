/** What a message is if its signature is valid: a vote, or a message that convicts its signer. */

import type { NodeId } from "../../protocol/brands.ts";
import { claimedHash, type Sign } from "../../protocol/crypto/signature.ts";
import { shortId } from "../../protocol/node.ts";
import { type GossipMessage, parseGossipMessage } from "../../wire/gossip-message.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import { lineOf, type SignedText } from "../../wire/signed-text.ts";
import { type Candidate, type Deferral, type Rejection, rejected, type Vote } from "./admission.ts";
import type { VoteBounds } from "./validator-set.ts";

/** `,"sign":{"owner":"…","sig":"…"}`, which the signature does not cover. */
const SIGN_BYTES_MAX = 300;

type Bounds = Pick<VoteBounds, "voteBytesMax">;

/**
 * @param signed a message whose signature is over the hash of its own content
 * @param signer the validator with the signature's key
 */
export function claimOf(
  signed: SignedText,
  signer: NodeId,
  bounds: Bounds,
  hashKey: string | undefined,
): Candidate["claim"] {
  const content = parseContent(signed, bounds);
  if (content.kind === "no-vote") {
    return rejected(content.reason, `${shortId(signer)} has signed ${content.problem}`, signer);
  }
  const { sender } = content.message;
  if (sender !== signer) {
    const problem = `${shortId(signer)} has signed a message in the name of ${shortId(sender)}`;
    return rejected("misattributed", problem, signer);
  }
  const text = lineOf(signed, hashKey);
  if (isTooLong(text, bounds)) return rejected("limit", tooLong(bounds), sender);
  return { kind: "new", vote: voteOf(content.message, signed.sign, text) };
}

/** As {@link claimOf}, without a validator set that tells whose key it is: a rejection names no sender. */
export function deferralOf(
  signed: SignedText,
  bounds: Bounds,
  hashKey: string | undefined,
): Deferral | Rejection {
  const content = parseContent(signed, bounds);
  if (content.kind === "no-vote") return rejected(content.reason, `it contains ${content.problem}`);
  const text = lineOf(signed, hashKey);
  if (isTooLong(text, bounds)) return rejected("limit", tooLong(bounds));
  return { kind: "deferred", vote: voteOf(content.message, signed.sign, text) };
}

type Content =
  | { readonly kind: "message"; readonly message: GossipMessage }
  | { readonly kind: "no-vote"; readonly reason: "oversized" | "malformed"; readonly problem: string };

function parseContent({ content }: SignedText, { voteBytesMax }: Bounds): Content {
  const bytes = Buffer.byteLength(content);
  if (bytes > voteBytesMax) {
    return { kind: "no-vote", reason: "oversized", problem: `${bytes} bytes, more than ${voteBytesMax}` };
  }
  try {
    const message = parseGossipMessage(parseJson(content, "its message"), "its message");
    return { kind: "message", message };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const problem = `content that is not a gossip message: ${error.message}`;
    return { kind: "no-vote", reason: "malformed", problem };
  }
}

function isTooLong(line: string, { voteBytesMax }: Bounds): boolean {
  return Buffer.byteLength(line) > voteBytesMax + SIGN_BYTES_MAX;
}

function tooLong({ voteBytesMax }: Bounds): string {
  return `the message has more than ${voteBytesMax} bytes as received`;
}

function voteOf({ cycle, sender, hashes }: GossipMessage, sign: Sign, text: string): Vote {
  return { cycle, sender, hash: claimedHash(sign), text, hashes };
}
