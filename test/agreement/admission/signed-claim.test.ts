import { expect, it } from "vitest";
import { claimOf } from "../../../src/agreement/admission/signed-claim.ts";
import { asNodeId } from "../../../src/protocol/brands.ts";
import { signOf } from "../../../src/protocol/crypto/signature.ts";
import { signedContent } from "../../../src/wire/signed-text.ts";
import { hashKey, idOf, voteOf } from "../test-votes.ts";

const text = voteOf(0);
const object = JSON.parse(text) as object;
const content = signedContent(object) ?? expect.unreachable();
const sign = signOf(object) ?? expect.unreachable();

it.each([
  { id: "a vote", signer: idOf(0), voteBytesMax: content.length, expected: { kind: "new" } },
  {
    id: "oversized if it has one byte more than the bound",
    signer: idOf(0),
    voteBytesMax: content.length - 1,
    expected: { reason: "oversized", sender: idOf(0) },
  },
  {
    id: "misattributed if another validator has signed it",
    signer: idOf(1),
    voteBytesMax: content.length,
    expected: { reason: "misattributed", sender: idOf(1) },
  },
])("a message is $id", ({ signer, voteBytesMax, expected }) => {
  expect(claimOf({ text, content, sign }, asNodeId(signer), { voteBytesMax }, hashKey)).toMatchObject(
    expected,
  );
});

it.each(["{}", '{"cycle":7}', "[]"])("a message is malformed if it is not a vote: %s", (other) => {
  const claim = claimOf({ text, content: other, sign }, idOf(0), { voteBytesMax: 1_000 }, hashKey);
  expect(claim).toMatchObject({ kind: "rejected", reason: "malformed", sender: idOf(0) });
});
