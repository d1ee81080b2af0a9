/**
 * Signatures (PROTOCOL.md, Hashing and signing): `sign.sig` is an Ed25519 signature (64 bytes) followed by the signed
 * message (32 bytes), which is the hash of the object without `sign`.
 */

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { HashHex, PublicKey } from "../brands.ts";
import { canonicalTextOf } from "./canonical-text.ts";
import { hasSmallOrder, isCanonical } from "./ed25519-encodings.ts";
import { hashText } from "./hash.ts";
import { isTypedValue } from "./typed-values.ts";

const SIGNATURE_BYTES = 64;
/** The first half of a signature is a point of the curve. */
const POINT_BYTES = 32;
const sigPattern = /^[0-9a-f]{192}$/i;
const ownerPattern = /^[0-9a-f]{64}$/i;

/** The DER form of an Ed25519 public key is this prefix and the 32 bytes of the key. */
const publicKeyPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** The DER form (PKCS 8) of an Ed25519 private key is this prefix and the key's 32 bytes. */
const privateKeyPrefix = Buffer.from("302e020100300506032b657004220420", "hex");

export interface Sign {
  /** The signer's public key, 64 hex digits. */
  readonly owner: PublicKey;
  /** 192 hex digits. */
  readonly sig: string;
}

/** Returns the hash of an object without its `sign`, which is the signed message: 64 hex digits. */
export function signedHash(object: object, hashKey?: string): HashHex {
  const { sign: _sign, ...unsigned } = object as { sign?: unknown };
  return hashText(canonicalTextOf(unsigned), hashKey);
}

/**
 * Returns the public key that signed an object, in lower case; `undefined` unless `object.sign` is valid: the signature
 * is valid for its owner, and the signed message is the hash of this object. Never throws: a malformed object, or one
 * that exceeds a bound of limits/json.ts, counts as unsigned.
 *
 * Keys and signatures that libsodium rejects are rejected: an owner of small order, for which signatures can be made
 * without a private key; an owner in a non-canonical encoding; and a signature whose point is of small order.
 *
 * @param object a value as `JSON.parse` returned it
 */
export function signerOf(object: unknown, hashKey?: string): PublicKey | undefined {
  // A typed value stands for a number or for bytes: a signature covers none of its other fields.
  if (typeof object !== "object" || object === null || isTypedValue(object)) return undefined;
  const sign = signOf(object);
  if (sign === undefined) return undefined;
  try {
    if (claimedHash(sign) !== signedHash(object, hashKey)) return undefined;
  } catch {
    return undefined; // an object without canonical text cannot have been signed
  }
  return signatureHolds(sign) ? sign.owner : undefined;
}

/** Returns whether `object.sign` is a valid signature by any key. {@link signerOf} returns that key. */
export function isSignedBy(object: unknown, hashKey?: string): boolean {
  return signerOf(object, hashKey) !== undefined;
}

/**
 * Returns whether a signature is valid for its owner and the message at its own end. The caller compares that message
 * with the hash of the object: this function does only the curve operation. Never throws.
 */
export function signatureHolds(sign: Sign): boolean {
  return decide(curveClaim(sign));
}

/** As {@link signatureHolds}, on another thread. */
export async function signatureHoldsAsync(sign: Sign): Promise<boolean> {
  return await decideAsync(curveClaim(sign));
}

/** Returns the `sign` of a received object, in lower case; `undefined` if it is missing or malformed. */
export function signOf(object: object): Sign | undefined {
  const { sign } = object as { sign?: Partial<Record<keyof Sign, unknown>> | null };
  if (typeof sign !== "object" || sign === null) return undefined;
  const { owner, sig } = sign;
  if (typeof owner !== "string" || typeof sig !== "string") return undefined;
  if (!ownerPattern.test(owner) || !sigPattern.test(sig)) return undefined;
  return { owner: owner.toLowerCase() as PublicKey, sig: sig.toLowerCase() };
}

/** Returns the signed message: the second part of `sig`. */
export function claimedHash({ sig }: Sign): HashHex {
  return sig.slice(2 * SIGNATURE_BYTES) as HashHex;
}

interface CurveClaim {
  readonly message: Buffer;
  readonly publicKey: KeyObject;
  readonly signature: Buffer;
}

/** Returns the curve operation for a signature; `undefined` for keys and signatures that libsodium rejects. */
function curveClaim({ owner, sig }: Sign): CurveClaim | undefined {
  const key = Buffer.from(owner, "hex");
  const bytes = Buffer.from(sig, "hex");
  if (!isCanonical(key) || hasSmallOrder(key) || hasSmallOrder(bytes.subarray(0, POINT_BYTES)))
    return undefined;
  try {
    const signature = bytes.subarray(0, SIGNATURE_BYTES);
    return { message: bytes.subarray(SIGNATURE_BYTES), publicKey: publicKeyOf(key), signature };
  } catch {
    return undefined; // not a point of the curve
  }
}

function decide(claim: CurveClaim | undefined): boolean {
  return claim !== undefined && verify(null, claim.message, claim.publicKey, claim.signature);
}

async function decideAsync(claim: CurveClaim | undefined): Promise<boolean> {
  if (claim === undefined) return false;
  const { message, publicKey, signature } = claim;
  return await new Promise((resolve) => {
    verify(null, message, publicKey, signature, (error, holds) => resolve(error === null && holds));
  });
}

/** Returns a copy of `object` with the `sign` of the given Ed25519 key pair. */
export function signed<T extends object>(
  object: T,
  privateKey: KeyObject,
  hashKey?: string,
): T & { sign: Sign } {
  return { ...object, sign: signHash(signedHash(object, hashKey), privateKey) };
}

/** Returns the `sign` of the object whose canonical text has a hash. */
export function signHash(hash: HashHex, privateKey: KeyObject): Sign {
  const message = Buffer.from(hash, "hex");
  const signature = sign(null, message, privateKey);
  return { owner: ownerOf(privateKey), sig: Buffer.concat([signature, message]).toString("hex") };
}

/** Returns the private key with the given 32 bytes. */
export function privateKeyOf(bytes: Uint8Array): KeyObject {
  const key = Buffer.concat([privateKeyPrefix, bytes]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** Returns the public key of a private key, 64 hex digits: the `owner` of its signatures. */
export function ownerOf(privateKey: KeyObject): PublicKey {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return der.subarray(publicKeyPrefix.length).toString("hex") as PublicKey;
}

/** Imports a key as JWK, which Node parses ten times as fast as DER. */
function publicKeyOf(owner: Buffer): KeyObject {
  const x = owner.toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}
