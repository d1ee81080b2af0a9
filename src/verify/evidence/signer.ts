/** Who signed a list. */

import { isSignedBy } from "../../protocol/crypto/signature.ts";

/** Nobody, somebody whose signature does not hold, or the owner of a key. */
export type Signer = "nobody" | "invalid" | { readonly key: string };

export function signerOf(received: unknown, hashKey: string): Signer {
  const sign = fieldOf(received, "sign");
  if (sign === undefined || sign === null) return "nobody";
  const owner = fieldOf(sign, "owner");
  if (!isSignedBy(received, hashKey) || typeof owner !== "string") return "invalid";
  return { key: owner.toLowerCase() };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** For a message. */
export function describeSigner(signer: Signer): string {
  if (signer === "nobody") return "it is not signed";
  return signer === "invalid" ? "its signature does not hold" : `it is signed by ${signer.key}`;
}
