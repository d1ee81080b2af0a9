/**
 * A signed object as text (PROTOCOL.md, Hashing and signing). Its signature is over the canonical text of the object
 * without `sign`, so whoever passes a message on can add what no signature covers: keys that the network's parser
 * drops, keys inside `sign`, white space. What is read here is what was signed, and nothing else.
 */

import { canonicalTextOf } from "../protocol/crypto/canonical-text.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { claimedHash, type Sign } from "../protocol/crypto/signature.ts";

/** Exactly what a signature of the object is over; `undefined` where that has no canonical text within our bounds. */
export function signedContent(object: object): string | undefined {
  const { sign: _sign, ...unsigned } = object as { sign?: unknown };
  try {
    return canonicalTextOf(unsigned);
  } catch {
    return undefined;
  }
}

/** Of a signed object: the text that came, what its signature is over, and the signature. */
export interface SignedText {
  readonly text: string;
  readonly content: string;
  readonly sign: Sign;
}

/**
 * One line that verifies by itself. That is the text as received, unless it is longer than it needs to be: what
 * somebody on its way has added is dropped where the rest still verifies. (Canonical text is not always its own
 * canonical text: a buffer in long form under the key `sig` becomes one in short form, which would not be changed.)
 */
export function lineOf({ text, content, sign }: SignedText, hashKey?: string): string {
  const head = content === "{}" ? "{" : `${content.slice(0, -1)},`;
  const shortest = `${head}"sign":${JSON.stringify({ owner: sign.owner, sig: sign.sig })}}`;
  const isPlain = text.length <= shortest.length && text.includes(sign.owner) && text.includes(sign.sig);
  if (!isPlain && hashText(signedContent(JSON.parse(shortest)) ?? "", hashKey) === claimedHash(sign)) {
    return shortest;
  }
  // Line ends never stand in a JSON string as they are: here they are white space.
  return text.replaceAll(/[\r\n]/g, " ");
}
