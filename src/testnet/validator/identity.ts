/** A validator's identity: its node ID and its Ed25519 signing key. */

import { createPrivateKey, type KeyObject } from "node:crypto";
import type { NodeId, PublicKey } from "../../protocol/brands.ts";
import { ownerOf } from "../../protocol/crypto/signature.ts";

export interface Identity {
  /** 64 lower-case hex digits. */
  readonly id: NodeId;
  readonly privateKey: KeyObject;
  /** 64 lower-case hex digits. */
  readonly publicKey: PublicKey;
}

/** The DER form (PKCS 8) of an Ed25519 private key is this prefix and the key's 32 bytes. */
const privateKeyPrefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** @param privateKeyBytes 32 bytes */
export function makeIdentity(id: NodeId, privateKeyBytes: Uint8Array): Identity {
  const key = Buffer.concat([privateKeyPrefix, privateKeyBytes]);
  const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
  return { id, privateKey, publicKey: ownerOf(privateKey) };
}
