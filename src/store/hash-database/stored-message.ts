/**
 * Whether a message in the hash database is still what its sender has signed. Bits flip, and a database may be
 * somebody else's: nobody is accused by a message, and none is counted or handed out, before it was checked.
 */

import { isSignedBy, signedHash } from "../../protocol/crypto/signature.ts";
import { parseJson } from "../../wire/parse.ts";

/** A gossip message whose signature holds. */
export interface SignedMessage {
  readonly cycle: number;
  readonly sender: string;
  /** What its signature is over. */
  readonly hash: string;
  /** As received. */
  readonly text: string;
}

/** @throws WireError */
export function parsedMessage(text: string): object {
  const value = parseJson(text, "the hash database");
  return typeof value === "object" && value !== null ? value : {};
}

/** @param trusted another message of the same sender, whose signature was checked: of the same key */
export function holdsAsStored(stored: SignedMessage, trusted: SignedMessage, hashKey?: string): boolean {
  try {
    const value = parsedMessage(stored.text);
    return (
      fieldOf(value, "cycle") === stored.cycle &&
      fieldOf(value, "sender") === stored.sender &&
      ownerOf(value) === ownerOf(parsedMessage(trusted.text)) &&
      signedHash(value, hashKey) === stored.hash &&
      isSignedBy(value, hashKey)
    );
  } catch {
    return false; // not JSON, too large, or without canonical text: nothing that anybody has signed
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function ownerOf(message: object): string {
  return String(fieldOf(fieldOf(message, "sign"), "owner")).toLowerCase();
}
