/** The key that signs answers. Who asks does not have to trust it: what matters has hashes that the network agreed on. */

import { type KeyObject, randomBytes } from "node:crypto";
import type { HashHex, PublicKey } from "../protocol/brands.ts";
import { ownerOf, privateKeyOf, type Sign, signed, signHash } from "../protocol/crypto/signature.ts";

const SEED_DIGITS = 64;

export class SigningKey {
  readonly publicKey: PublicKey;
  readonly #key: KeyObject;

  /** @param seed the 32 bytes of an Ed25519 private key */
  constructor(seed: Uint8Array) {
    this.#key = privateKeyOf(seed);
    this.publicKey = ownerOf(this.#key);
  }

  /** Returns a key that nobody has. */
  static fresh(): SigningKey {
    return new SigningKey(randomBytes(32));
  }

  /**
   * Returns the key of a text: 64 hex digits, or the 128 that archivers have in ARCHIVER_SECRET_KEY, whose second half is
   * the public key.
   *
   * @throws Error which does not contain the text
   */
  static of(text: string): SigningKey {
    const digits = text.trim().toLowerCase();
    if (!/^(?:[0-9a-f]{64}|[0-9a-f]{128})$/.test(digits)) {
      throw new Error("expected a private key of 64 or 128 hex digits");
    }
    const key = new SigningKey(Buffer.from(digits.slice(0, SEED_DIGITS), "hex"));
    const stated = digits.slice(SEED_DIGITS);
    if (stated !== "" && stated !== key.publicKey) {
      throw new Error("the second half of the key is not the public key of the first");
    }
    return key;
  }

  /** Returns a copy of an object with its `sign`. */
  sign<T extends object>(object: T, hashKey: string): T & { sign: Sign } {
    return signed(object, this.#key, hashKey);
  }

  /** Returns the `sign` of the object whose canonical text has a hash. */
  signHash(hash: HashHex): Sign {
    return signHash(hash, this.#key);
  }
}
