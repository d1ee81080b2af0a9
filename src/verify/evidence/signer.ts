/** Determines the signer of a list. */

import type { PublicKey } from "../../protocol/brands.ts";
import { signerOf } from "../../protocol/crypto/signature.ts";

/** `nobody` without a signature, `invalid` for an invalid one, else the key of the signer. */
export type Signer = "nobody" | "invalid" | { readonly key: PublicKey };

export function listSignerOf(received: unknown, hashKey: string): Signer {
  const { sign } = (received ?? {}) as { sign?: unknown };
  if (sign === undefined || sign === null) return "nobody";
  const key = signerOf(received, hashKey);
  return key === undefined ? "invalid" : { key };
}

/** Describes a signer for messages. */
export function describeSigner(signer: Signer): string {
  if (signer === "nobody") return "it is not signed";
  return signer === "invalid" ? "its signature is invalid" : `it is signed by ${signer.key}`;
}
