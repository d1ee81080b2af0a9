import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import { curve25519Key } from "../../src/protocol/crypto/curve25519-key.ts";

/** The private X25519 key of an Ed25519 one: the first half of the SHA-512 hash of its seed. */
function x25519KeyOf(seed: Buffer): Buffer {
  return createHash("sha512").update(seed).digest().subarray(0, 32);
}

it("gives the public key of the X25519 key that belongs to an Ed25519 key", () => {
  for (let count = 0; count < 20; count++) {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const seed = privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
    const own = publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("hex");
    const der = Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), x25519KeyOf(seed)]);
    const x25519 = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
    const expected = x25519.export({ type: "spki", format: "der" }).subarray(-32).toString("hex");
    expect(curve25519Key(own)).toBe(expected);
  }
});
