/** The check of a signature never throws, and succeeds only for the signed object. */

import fc from "fast-check";
import { expect } from "vitest";
import { asNodeId } from "../../../src/protocol/brands.ts";
import { isSignedBy, signed, signedHash } from "../../../src/protocol/crypto/signature.ts";
import { makeIdentity } from "../../../src/testnet/validator/identity.ts";
import { nestedJson } from "../../protocol/nested-json.ts";
import { networkText } from "../../protocol/network-text.ts";
import { fuzzTarget } from "../fuzz-target.ts";

const { privateKey, publicKey } = makeIdentity(asNodeId("aa".repeat(32)), Buffer.alloc(32, 1));
const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-fA-F]{${digits}}$`));
const sign = fc.record({
  owner: fc.oneof(fc.constant(publicKey), hex(64), fc.jsonValue()),
  sig: fc.oneof(hex(192), fc.jsonValue()),
});

const withMadeUpSign = fc
  .tuple(nestedJson, fc.oneof(sign, fc.jsonValue()))
  .map(([data, made]) => `{"data":${data},"sign":${JSON.stringify(made)}}`);

const twoContents = fc.record({ content: nestedJson, other: nestedJson });

export const signatureTargets = [
  fuzzTarget("made-up signatures", withMadeUpSign, (text) => {
    const object = JSON.parse(text) as { data: unknown };
    expect(isSignedBy(object)).toBe(false);
    expect(isSignedBy(object.data)).toBe(false);
  }),
  fuzzTarget(
    "signatures of other content",
    twoContents,
    ({ content, other }) => {
      if (networkText(content) === undefined) return;
      const message = signed({ cycle: 1, data: JSON.parse(content) as unknown }, privateKey);
      expect(message.sign.sig.slice(128)).toBe(signedHash(message));
      expect(isSignedBy(message)).toBe(true);
      const holds = isSignedBy({ ...message, data: JSON.parse(other) as unknown });
      expect(holds).toBe(networkText(other) === networkText(content));
    },
    ({ content, other }) => `${content}\n${other}`,
  ),
];
