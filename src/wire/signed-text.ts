/**
 * The signed content of an object (PROTOCOL.md, Hashing and signing). The signature covers the canonical text of the
 * object without `sign`. A node that forwards a message can add text that no signature covers: keys that the network's
 * parser drops, keys inside `sign`, and white space.
 */

import { canonicalTextOf } from "../protocol/crypto/canonical-text.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { claimedHash, type Sign } from "../protocol/crypto/signature.ts";

/** Returns the text that an object's signature covers; `undefined` if it has no canonical text within the bounds. */
export function signedContent(object: object): string | undefined {
  const { sign: _sign, ...unsigned } = object as { sign?: unknown };
  try {
    return canonicalTextOf(unsigned);
  } catch {
    return undefined;
  }
}

export interface SignedText {
  /** As received. */
  readonly text: string;
  /** The canonical text that the signature covers. */
  readonly content: string;
  readonly sign: Sign;
}

/**
 * Returns a message as one line that verifies by itself: the text as received, or, if that is longer than necessary,
 * the signed content with its signature. The latter is used only if it verifies: canonical text is not always its own
 * canonical text, because a long-form buffer under the key `sig` becomes a short-form one, which is not converted.
 */
export function lineOf({ text, content, sign }: SignedText, hashKey?: string): string {
  const head = content === "{}" ? "{" : `${content.slice(0, -1)},`;
  const shortest = `${head}"sign":${JSON.stringify({ owner: sign.owner, sig: sign.sig })}}`;
  const isPlain = text.length <= shortest.length && text.includes(sign.owner) && text.includes(sign.sig);
  if (!isPlain && hashText(signedContent(JSON.parse(shortest)) ?? "", hashKey) === claimedHash(sign)) {
    return shortest;
  }
  // JSON strings contain no unescaped line ends, so these are white space.
  return text.replaceAll(/[\r\n]/g, " ");
}
