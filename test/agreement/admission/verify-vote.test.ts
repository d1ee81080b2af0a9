import { expect, it } from "vitest";
import { verifyVote } from "../../../src/agreement/admission/verify-vote.ts";
import { signed } from "../../../src/protocol/crypto/signature.ts";
import { cycle, hashKey, identities, idOf, voteOf } from "../test-votes.ts";

const text = voteOf(0);
const key = identities[0]?.privateKey ?? expect.unreachable();

it("a stored vote verifies with the key in it", () => {
  const vote = verifyVote(text, hashKey);
  expect(vote).toMatchObject({ cycle, sender: idOf(0), text, owner: identities[0]?.publicKey });
  expect(vote?.hash).toBe(JSON.parse(text).sign.sig.slice(128));
  expect(vote?.hashes.get(0)).toBe("a".repeat(64));
});

it.each([
  { id: "is no JSON", stored: text.slice(1) },
  { id: "is no object", stored: "7" },
  { id: "has no signature", stored: "{}" },
  { id: "has another hash than was signed", stored: text.replace("aaa", "bbb") },
  { id: "has another signature", stored: text.replace(/"sig":"\w{8}/, '"sig":"00000000') },
  { id: "is signed and no vote", stored: JSON.stringify(signed({ cycle }, key, hashKey)) },
])("a stored text does not verify where it $id", ({ stored }) => {
  expect(verifyVote(stored, hashKey)).toBeUndefined();
});

it("a stored vote does not verify under another hash key", () => {
  expect(verifyVote(text, "00".repeat(32))).toBeUndefined();
});
