/** Admission of votes of a cycle whose validator set is unknown: none of them is accepted. */

import { describe, expect, it } from "vitest";
import { admit } from "../../../src/agreement/admission/admit.ts";
import { KnownVotes } from "../../../src/agreement/admission/known-votes.ts";
import { makeValidatorSet, unknownValidatorSet } from "../../../src/agreement/admission/validator-set.ts";
import { gossipMessageBytesMax } from "../../../src/limits/gossip.ts";
import { signed } from "../../../src/protocol/crypto/signature.ts";
import { cycle, hashKey, identities, idOf, nodes, shard, voteOf } from "../test-votes.ts";

const text = voteOf(0);
const key = identities[0]?.privateKey ?? expect.unreachable();
const window = { oldest: cycle, newest: cycle };

function admitUnknown(received: string, seen = new KnownVotes(hashKey)) {
  return admit(received, window, () => unknownValidatorSet, seen);
}

describe("while the validator set of its cycle is unknown", () => {
  it("a vote that is signed with the key in it is deferred, and not remembered", () => {
    const seen = new KnownVotes(hashKey);
    const hash = JSON.parse(text).sign.sig.slice(128);
    expect(admitUnknown(text, seen)).toMatchObject({
      kind: "deferred",
      vote: {
        cycle,
        sender: idOf(0),
        text,
        hash,
        hashes: new Map([0, 1, 4, -1].map((of) => [of, "a".repeat(64)])),
      },
    });
    expect([seen.withHash(hash), seen.of(cycle, idOf(0))]).toEqual([undefined, []]);
    expect(admitUnknown(text, seen).kind).toBe("deferred");
  });

  it("a vote that another key signed in the sender's name is deferred, and rejected once the set is known", () => {
    const { sign: _, ...content } = JSON.parse(text);
    const forged = JSON.stringify(signed(content, identities[1]?.privateKey ?? key, hashKey));
    const seen = new KnownVotes(hashKey);
    expect(admitUnknown(forged, seen).kind).toBe("deferred");
    const validators = makeValidatorSet(nodes, shard);
    expect(admit(forged, window, () => validators, seen)).toMatchObject({ reason: "misattributed" });
    expect(admit(text, window, () => validators, seen).kind).toBe("new");
  });

  it.each([
    { id: "is not JSON", stored: text.slice(1), reason: "not-json" },
    { id: "is not an object", stored: "7", reason: "not-json" },
    { id: "has no signature", stored: "{}", reason: "unsigned" },
    { id: "has another hash than was signed", stored: text.replace("aaa", "bbb"), reason: "unsigned" },
    {
      id: "has another signature",
      stored: text.replace(/"sig":"\w{8}/, '"sig":"00000000'),
      reason: "unsigned",
    },
    {
      id: "is signed and not a vote",
      stored: JSON.stringify(signed({ cycle }, key, hashKey)),
      reason: "malformed",
    },
    {
      id: "is of another cycle",
      stored: JSON.stringify(signed({ cycle: cycle + 1 }, key, hashKey)),
      reason: "other-cycle",
    },
    { id: "is longer than any vote", stored: `${text}${" ".repeat(gossipMessageBytesMax)}`, reason: "limit" },
  ])("a message that $id is rejected, and no sender is named", ({ stored, reason }) => {
    const admission = admitUnknown(stored);
    expect(admission).toMatchObject({ kind: "rejected", reason });
    if (reason !== "unsigned") expect(admission).not.toHaveProperty("sender");
  });

  it("a vote is rejected under another hash key", () => {
    expect(admitUnknown(text, new KnownVotes("00".repeat(32)))).toMatchObject({ reason: "unsigned" });
  });
});
