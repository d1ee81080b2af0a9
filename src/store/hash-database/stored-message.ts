/**
 * Checks that a message in the hash database is still validly signed: bits flip, and another program may have written
 * the database. No message is used, as a vote or as evidence of an offence, before this check.
 */

import type { Cycle, HashHex, NodeId } from "../../protocol/brands.ts";
import { signedHash, signerOf, signOf } from "../../protocol/crypto/signature.ts";
import { parseJson } from "../../wire/parse.ts";

/** A gossip message whose signature holds. */
export interface SignedMessage {
  readonly cycle: Cycle;
  readonly sender: NodeId;
  /** The signed hash. */
  readonly hash: HashHex;
  /** As received. */
  readonly text: string;
}

/** A row of the database, which may be damaged. */
type ClaimedMessage = Omit<SignedMessage, "hash"> & { readonly hash: string };

/**
 * Parses the text of a stored message; a value that is not an object counts as an empty one.
 *
 * @throws WireError
 */
export function parsedMessage(text: string): object {
  const value = parseJson(text, "the hash database");
  return typeof value === "object" && value !== null ? value : {};
}

/**
 * Returns whether a stored message is validly signed with the key of a trusted one.
 *
 * @param trusted another message of the same sender, whose signature was checked
 */
export function holdsAsStored(stored: ClaimedMessage, trusted: SignedMessage, hashKey?: string): boolean {
  try {
    const value: { cycle?: unknown; sender?: unknown } = parsedMessage(stored.text);
    const signer = signerOf(value, hashKey);
    return (
      signer !== undefined &&
      signer === signOf(parsedMessage(trusted.text))?.owner &&
      value.cycle === stored.cycle &&
      value.sender === stored.sender &&
      signedHash(value, hashKey) === stored.hash
    );
  } catch {
    return false; // not JSON, too large, or without canonical text: it cannot have been signed
  }
}
