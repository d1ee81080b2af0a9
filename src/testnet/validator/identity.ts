/** A validator's identity: its node ID and its Ed25519 signing key. */

import type { KeyObject } from "node:crypto";
import type { NodeId, PublicKey } from "../../protocol/brands.ts";
import { ownerOf, privateKeyOf } from "../../protocol/crypto/signature.ts";

export interface Identity {
  /** 64 lower-case hex digits. */
  readonly id: NodeId;
  readonly privateKey: KeyObject;
  /** 64 lower-case hex digits. */
  readonly publicKey: PublicKey;
}

/** @param privateKeyBytes 32 bytes */
export function makeIdentity(id: NodeId, privateKeyBytes: Uint8Array): Identity {
  const privateKey = privateKeyOf(privateKeyBytes);
  return { id, privateKey, publicKey: ownerOf(privateKey) };
}
