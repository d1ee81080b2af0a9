/** What a message is if its signature holds: a vote, or a message that convicts its signer. */

import { claimedHash } from "../../protocol/crypto/signature.ts";
import { shortId } from "../../protocol/node.ts";
import { type GossipMessage, parseGossipMessage } from "../../wire/gossip-message.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import { lineOf, type SignedText } from "../../wire/signed-text.ts";
import { type Candidate, rejected } from "./admission.ts";
import type { ValidatorSet } from "./validator-set.ts";

/** `,"sign":{"owner":"…","sig":"…"}`, which the signature does not cover. */
const SIGN_BYTES_MAX = 300;

/**
 * @param signed a message whose signature is over the hash of its own content
 * @param signer the validator with the signature's key
 */
export function claimOf(
  signed: SignedText,
  signer: string,
  { voteBytesMax }: Pick<ValidatorSet, "voteBytesMax">,
  hashKey: string | undefined,
): Candidate["claim"] {
  const convict = (reason: "malformed" | "misattributed" | "oversized", problem: string) =>
    rejected(reason, `${shortId(signer)} has signed ${problem}`, signer);
  const contentBytes = Buffer.byteLength(signed.content);
  if (contentBytes > voteBytesMax)
    return convict("oversized", `${contentBytes} bytes, more than ${voteBytesMax}`);
  let message: GossipMessage;
  try {
    message = parseGossipMessage(parseJson(signed.content, "its message"), "its message");
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return convict("malformed", `content that is not a gossip message: ${error.message}`);
  }
  const { cycle, sender, hashes } = message;
  if (sender !== signer) return convict("misattributed", `a message in the name of ${shortId(sender)}`);
  const line = lineOf(signed, hashKey);
  if (Buffer.byteLength(line) > voteBytesMax + SIGN_BYTES_MAX) {
    return rejected("limit", `the message has more than ${voteBytesMax} bytes as received`, sender);
  }
  return { kind: "new", vote: { cycle, sender, hash: claimedHash(signed.sign), text: line, hashes } };
}
