/** Admission of gossip never throws, and counts only votes with their sender's signature. */

import fc from "fast-check";
import { expect } from "vitest";
import { admit } from "../../../src/agreement/admission/admit.ts";
import { KnownVotes } from "../../../src/agreement/admission/known-votes.ts";
import { makeValidatorSet } from "../../../src/agreement/admission/validator-set.ts";
import { asCycle, asNodeId } from "../../../src/protocol/brands.ts";
import { isSignedBy, signed } from "../../../src/protocol/crypto/signature.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { makeVote } from "../../../src/testnet/validator/gossip/vote.ts";
import { type Identity, makeIdentity } from "../../../src/testnet/validator/identity.ts";
import { asHashes } from "../../helpers/brands.ts";
import { nestedJson } from "../../protocol/nested-json.ts";
import { networkText } from "../../protocol/network-text.ts";
import { fuzzTarget } from "../fuzz-target.ts";
import { mutatedText } from "../mutated-text.ts";

const identities = ["11", "22"].map((byte) =>
  makeIdentity(asNodeId(byte.repeat(32)), Buffer.from(byte.repeat(32), "hex")),
);
const [first, second] = identities as [Identity, Identity];
const validators = makeValidatorSet(identities, makeShard({ numNodes: 2 }));
const cycle = 7;
const vote = (letter: string, identity: Identity) =>
  makeVote(
    identity,
    asCycle(cycle),
    asHashes(new Map([-1, 0, 1].map((partition) => [partition, letter.repeat(64)]))),
  );
const honest = [vote("a", first), vote("b", first), vote("a", second)].map((message) =>
  JSON.stringify(message),
);

/** A lying validator signs any content, including typed values. */
const liars = fc.tuple(nestedJson, nestedJson).map(([data, more]) => {
  if (networkText(data) === undefined || networkText(more) === undefined) return honest[0] as string;
  const { sign: _, ...unsigned } = vote("c", first);
  const message = { ...unsigned, more: JSON.parse(more) as unknown, data: JSON.parse(data) as unknown };
  return JSON.stringify(signed(message, first.privateKey));
});

const messages = fc.array(fc.oneof(mutatedText(honest), liars), { maxLength: 5 });

export const admissionTargets = [
  fuzzTarget(
    "gossip admission",
    messages,
    (texts) => {
      const seen = new KnownVotes();
      for (const text of texts) {
        const admitted = admit(
          text,
          { oldest: asCycle(cycle), newest: asCycle(cycle) },
          () => validators,
          seen,
        );
        if (admitted.kind !== "new" && admitted.kind !== "equivocation") continue;
        const { sender, cycle: of, text: line } = admitted.vote;
        const message = JSON.parse(line) as { sender: string; cycle: number; sign: { owner: string } };
        expect(of).toBe(cycle);
        expect(message).toMatchObject({ sender, cycle });
        expect(message.sign.owner.toLowerCase()).toBe(validators.keyOf.get(sender));
        expect(isSignedBy(message)).toBe(true);
      }
    },
    (texts) => texts.join("\n"),
  ),
];
