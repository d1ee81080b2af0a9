/**
 * Signatures (PROTOCOL.md, Hashing and signing): `sign.sig` is an Ed25519 signature (64 bytes) followed
 * by the message that was signed (32 bytes), which is the hash of the object without `sign`.
 */

import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
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

export interface Sign {
  /** The signer's public key, 64 hex digits. */
  readonly owner: string;
  /** 192 hex digits. */
  readonly sig: string;
}

/** The hash of an object without its `sign`: what its signature is over. 64 hex digits. */
export function signedHash(object: object, hashKey?: string): string {
  const { sign: _sign, ...unsigned } = object as { sign?: unknown };
  return hashText(canonicalTextOf(unsigned), hashKey);
}

/**
 * Whether `object.sign` holds: its signature is valid for its owner, and the signed message is the hash
 * of this very object. Never throws: what is malformed is not signed, nor is what crosses a bound of limits.ts.
 *
 * Keys and signatures that libsodium refuses are refused: an owner of small order, for which anybody can make up
 * a signature, or in another encoding than its only one, and a signature whose point is of small order.
 *
 * @param object a value as `JSON.parse` returned it
 */
export function isSignedBy(object: unknown, hashKey?: string): boolean {
  return decide(claimOf(object, hashKey));
}

/** {@link isSignedBy}, of which the costly part, the curve, is done on another thread. */
export async function isSignedByAsync(object: unknown, hashKey?: string): Promise<boolean> {
  return await decideAsync(claimOf(object, hashKey));
}

/**
 * Whether a signature holds for its owner and the hash at its own end. That this is the hash of some object is for
 * the caller to compare: this is the curve alone, for a caller that has the hash already. Never throws.
 */
export function signatureHolds(sign: Sign): boolean {
  return decide(curveClaim(sign));
}

/** {@link signatureHolds} on another thread. */
export async function signatureHoldsAsync(sign: Sign): Promise<boolean> {
  return await decideAsync(curveClaim(sign));
}

/** The `sign` of a received object, its digits in lower case; `undefined` where it has none of the right form. */
export function signOf(object: object): Sign | undefined {
  const { sign } = object as { sign?: Partial<Sign> | null };
  if (typeof sign !== "object" || sign === null) return undefined;
  const { owner, sig } = sign;
  if (typeof owner !== "string" || typeof sig !== "string") return undefined;
  if (!ownerPattern.test(owner) || !sigPattern.test(sig)) return undefined;
  return { owner: owner.toLowerCase(), sig: sig.toLowerCase() };
}

/** The hash that a signature claims to be over: the second part of `sig`. */
export function claimedHash({ sig }: Sign): string {
  return sig.slice(2 * SIGNATURE_BYTES);
}

interface CurveClaim {
  readonly message: Buffer;
  readonly publicKey: KeyObject;
  readonly signature: Buffer;
}

/** What is left to check once the signed message is known to be the object's hash. */
function claimOf(object: unknown, hashKey: string | undefined): CurveClaim | undefined {
  // A typed value stands for a number or for bytes: a signature covers none of its other fields.
  if (typeof object !== "object" || object === null || isTypedValue(object)) return undefined;
  const sign = signOf(object);
  if (sign === undefined) return undefined;
  try {
    return claimedHash(sign) === signedHash(object, hashKey) ? curveClaim(sign) : undefined;
  } catch {
    return undefined; // no canonical text: nothing that anybody can have signed
  }
}

/** What the curve has to decide; `undefined` for keys and signatures that libsodium refuses. */
function curveClaim({ owner, sig }: Sign): CurveClaim | undefined {
  const key = Buffer.from(owner, "hex");
  const bytes = Buffer.from(sig, "hex");
  if (!isCanonical(key) || hasSmallOrder(key) || hasSmallOrder(bytes.subarray(0, POINT_BYTES)))
    return undefined;
  try {
    const signature = bytes.subarray(0, SIGNATURE_BYTES);
    return { message: bytes.subarray(SIGNATURE_BYTES), publicKey: publicKeyOf(key), signature };
  } catch {
    return undefined; // no point of the curve
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

/** A copy of `object` with the `sign` of the given Ed25519 key pair. */
export function signed<T extends object>(
  object: T,
  privateKey: KeyObject,
  hashKey?: string,
): T & { sign: Sign } {
  const message = Buffer.from(signedHash(object, hashKey), "hex");
  const signature = sign(null, message, privateKey);
  const owner = ownerOf(privateKey);
  return { ...object, sign: { owner, sig: Buffer.concat([signature, message]).toString("hex") } };
}

/** The public key of a private key, 64 hex digits: the `owner` of its signatures. */
export function ownerOf(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return der.subarray(publicKeyPrefix.length).toString("hex");
}

/** As a JWK, which takes a tenth of the time that DER takes to be parsed. */
function publicKeyOf(owner: Buffer): KeyObject {
  const x = owner.toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}
