import { createPrivateKey, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashText } from "../../../src/protocol/crypto/hash.ts";
import { isSignedBy, ownerOf, signed, signedHash, signerOf } from "../../../src/protocol/crypto/signature.ts";
import { seeded } from "../../helpers/seeded.ts";

/** The DER form of an Ed25519 private key is this prefix and its 32 bytes. */
const privateKeyPrefix = Buffer.from("302e020100300506032b657004220420", "hex");

function privateKeyOf(seed: number): KeyObject {
  const key = Buffer.concat([privateKeyPrefix, Buffer.alloc(32, seed)]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

const signer = privateKeyOf(1);
const otherSigner = privateKeyOf(2);
const otherHashKey = "11".repeat(32);
const message = { cycle: 123, data: { partitionHash: { "0": "ab", "-1": "cd" } }, sender: "node" };

function withOtherDigit(hex: string, position: number): string {
  return `${hex.slice(0, position)}${hex[position] === "0" ? "1" : "0"}${hex.slice(position + 1)}`;
}

describe("a signed object", () => {
  it("is valid with any content, under the hash key that it was signed with", () => {
    const property = fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
      const object = JSON.parse(JSON.stringify(fields)) as Record<string, unknown>;
      const received: unknown = JSON.parse(JSON.stringify(signed(object, signer, otherHashKey)));
      expect(isSignedBy(received, otherHashKey)).toBe(true);
      expect(isSignedBy(received)).toBe(false);
    });
    fc.assert(property, seeded(100));
  });

  it("has the signer's public key, and the signed message after the signature", () => {
    const { sign, ...unsigned } = signed(message, signer);
    expect(unsigned).toEqual(message);
    expect(sign.owner).toBe(ownerOf(signer));
    expect(sign.sig).toHaveLength(192);
    expect(sign.sig.slice(128)).toBe(signedHash(message));
    expect(signedHash(message)).toBe(
      hashText('{"cycle":123,"data":{"partitionHash":{"-1":"cd","0":"ab"}},"sender":"node"}'),
    );
  });

  it("names its signer in lower case, whatever case it was sent in", () => {
    const { sign, ...unsigned } = signed(message, signer);
    const upper = { owner: sign.owner.toUpperCase(), sig: sign.sig.toUpperCase() };
    expect([signerOf({ ...unsigned, sign }), signerOf({ ...unsigned, sign: upper })]).toEqual(
      Array(2).fill(ownerOf(signer)),
    );
  });

  it("names no signer if it contains the key of another one", () => {
    const { sign, ...unsigned } = signed(message, signer);
    expect(signerOf({ ...unsigned, sign: { ...sign, owner: ownerOf(otherSigner) } })).toBeUndefined();
  });

  it("is valid with its keys in another order", () => {
    const { cycle, data, sender, sign } = signed(message, signer);
    expect(isSignedBy({ sign, sender, data, cycle })).toBe(true);
  });

  it("replaces an earlier signature", () => {
    const again = signed(signed(message, otherSigner), signer);
    expect(again.sign.owner).toBe(ownerOf(signer));
    expect(isSignedBy(again)).toBe(true);
  });

  it("is invalid with any one digit of its signature or of its message changed", () => {
    const { sign } = signed(message, signer);
    for (let position = 0; position < sign.sig.length; position++) {
      const tampered = { ...message, sign: { ...sign, sig: withOtherDigit(sign.sig, position) } };
      expect(isSignedBy(tampered), `digit ${position}`).toBe(false);
    }
  });

  const good = signed(message, signer);
  const other = signed({ ...message, cycle: 124 }, signer);
  it.each([
    { id: "a field changed", object: { ...good, cycle: 124 } },
    { id: "a field added", object: { ...good, more: 1 } },
    { id: "a field removed", object: { cycle: 123, data: message.data, sign: good.sign } },
    { id: "another owner", object: { ...good, sign: { ...good.sign, owner: ownerOf(otherSigner) } } },
    {
      id: "an owner with another digit",
      object: { ...good, sign: { ...good.sign, owner: withOtherDigit(good.sign.owner, 5) } },
    },
    { id: "the signature of another object", object: { ...good, sign: other.sign } },
    {
      id: "the signature of another object with this one's message",
      object: {
        ...good,
        sign: { owner: good.sign.owner, sig: other.sign.sig.slice(0, 128) + good.sign.sig.slice(128) },
      },
    },
    {
      id: "a signature without its message",
      object: { ...good, sign: { ...good.sign, sig: good.sign.sig.slice(0, 128) } },
    },
    {
      id: "a signature with trailing digits",
      object: { ...good, sign: { ...good.sign, sig: `${good.sign.sig}00` } },
    },
    {
      id: "an owner that is not a point of the curve",
      object: { ...good, sign: { ...good.sign, owner: "02".padEnd(64, "0") } },
    },
    { id: "no sign", object: message },
    { id: "a null sign", object: { ...message, sign: null } },
    { id: "a string as sign", object: { ...message, sign: good.sign.sig } },
    { id: "a number as sig", object: { ...good, sign: { ...good.sign, sig: 1 } } },
    { id: "no owner", object: { ...good, sign: { sig: good.sign.sig } } },
    { id: "a malformed typed value in it", object: { ...good, data: { dataType: "bi", value: "xyz" } } },
  ])("is invalid with $id", ({ object }) => {
    expect(isSignedBy(good)).toBe(true);
    expect(isSignedBy(object)).toBe(false);
  });

  it("is the only valid value, and the check never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, sign) => {
        expect(isSignedBy(value)).toBe(false);
        expect(isSignedBy({ value, sign })).toBe(false);
      }),
      seeded(300),
    );
  });
});
