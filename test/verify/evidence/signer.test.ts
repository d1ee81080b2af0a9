import { describe, expect, it } from "vitest";
import { describeSigner, listSignerOf } from "../../../src/verify/evidence/signer.ts";
import { archiver, byArchiver, hashKey } from "../written-snapshot.ts";

describe("the signer of a list", () => {
  const list = byArchiver({ nodeList: [1, 2] });

  it("is the key of a valid signature", () => {
    expect(listSignerOf(list, hashKey)).toEqual({ key: archiver.publicKey });
    expect(describeSigner(listSignerOf(list, hashKey))).toBe(`it is signed by ${archiver.publicKey}`);
  });

  it.each([
    { id: "without a signature", received: { nodeList: [] } },
    { id: "whose signature is null", received: { nodeList: [], sign: null } },
    { id: "that is a list of nodes", received: [] },
    { id: "that is not an object", received: "text" },
    { id: "that is null", received: null },
  ])("is nobody for a list $id", ({ received }) => {
    expect(listSignerOf(received, hashKey)).toBe("nobody");
    expect(describeSigner("nobody")).toBe("it is not signed");
  });

  it.each([
    { id: "was changed", received: { ...list, nodeList: [1, 3] }, key: hashKey },
    { id: "was signed under another hash key", received: list, key: "0".repeat(64) },
    { id: "has a signature that is not an object", received: { nodeList: [], sign: 7 }, key: hashKey },
    { id: "names no key", received: { ...list, sign: { sig: list.sign.sig } }, key: hashKey },
  ])("is invalid for a list that $id", ({ received, key }) => {
    expect(listSignerOf(received, key)).toBe("invalid");
    expect(describeSigner("invalid")).toBe("its signature is invalid");
  });
});
