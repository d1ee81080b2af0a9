/**
 * Whether a message in the hash database is still what its sender has signed. Bits flip, and a database may be
 * somebody else's: nobody is accused by a message, and none is counted or handed out, before it was checked.
 */

import { isSignedBy, signedHash } from "../../protocol/crypto/signature.ts";
import { parseJson } from "../../wire/parse.ts";
import type { SignedMessage } from "./hash-database.ts";

/** @throws WireError */
export function parsedMessage(text: string): object {
  const value = parseJson(text, "the hash database");
  return typeof value === "object" && value !== null ? value : {};
}

/** @param trusted another message of the same sender, whose signature was checked: of the same key */
export function holdsAsStored(stored: SignedMessage, trusted: SignedMessage, hashKey?: string): boolean {
  try {
    const [value, other] = [stored, trusted].map(({ text }) => parsedMessage(text) as Claims);
    return (
      value?.cycle === stored.cycle &&
      value.sender === stored.sender &&
      ownerOf(value) === ownerOf(other) &&
      signedHash(value, hashKey) === stored.hash &&
      isSignedBy(value, hashKey)
    );
  } catch {
    return false; // not JSON, too large, or without canonical text: nothing that anybody has signed
  }
}

interface Claims {
  readonly cycle?: unknown;
  readonly sender?: unknown;
  readonly sign?: { readonly owner?: unknown } | null;
}

function ownerOf(message: Claims | undefined): string {
  return String(message?.sign?.owner).toLowerCase();
}
