/** Determines the signer of a list. */

import { isSignedBy } from "../../protocol/crypto/signature.ts";

/** `nobody` without a signature, `invalid` for an invalid one, else the key of the signer. */
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

/** Describes a signer for messages. */
export function describeSigner(signer: Signer): string {
  if (signer === "nobody") return "it is not signed";
  return signer === "invalid" ? "its signature is invalid" : `it is signed by ${signer.key}`;
}
