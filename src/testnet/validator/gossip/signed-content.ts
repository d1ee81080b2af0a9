/**
 * Of a signed object, what its signature is over, and the signature: in one form, so that nobody on the way can
 * make many messages of one. What a signature is not over would change nothing but the text: the order of keys,
 * keys that canonical text drops, whatever else stands in `sign`, upper-case digits.
 */

import { canonicalTextOf } from "../../../protocol/crypto/canonical-text.ts";
import { hashText } from "../../../protocol/crypto/hash.ts";

export interface SignedContent {
  readonly content: object;
  /** As JSON. */
  readonly text: string;
  /** Of what is signed: two messages are the same where it is. */
  readonly hash: string;
  readonly owner: string;
}

/** `undefined` where it cannot have been signed; whether it holds is not looked at. */
export function signedContent(received: object): SignedContent | undefined {
  const { sign, ...unsigned } = received as { sign?: { owner?: unknown; sig?: unknown } | null };
  if (typeof sign?.owner !== "string" || typeof sign.sig !== "string") return undefined;
  const owner = sign.owner.toLowerCase();
  const signature = JSON.stringify({ owner, sig: sign.sig.toLowerCase() });
  try {
    const canonical = canonicalTextOf(unsigned);
    if (canonical === "{}") return undefined;
    const text = `${canonical.slice(0, -1)},"sign":${signature}}`;
    return { content: JSON.parse(text) as object, text, hash: hashText(canonical), owner };
  } catch {
    return undefined; // no canonical text
  }
}
