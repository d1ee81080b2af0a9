/** Admission of received messages, case by case: only the signed content counts, not what a relay added. */

import { describe, expect, it } from "vitest";
import type { Admission } from "../../../src/agreement/admission/admission.ts";
import { admit, admitAsync } from "../../../src/agreement/admission/admit.ts";
import { KnownVotes } from "../../../src/agreement/admission/known-votes.ts";
import { makeValidatorSet } from "../../../src/agreement/admission/validator-set.ts";
import { faultOf } from "../../../src/agreement/faults/fault.ts";
import { asCycle, asNodeId } from "../../../src/protocol/brands.ts";
import { canonicalTextOf } from "../../../src/protocol/crypto/canonical-text.ts";
import { claimedHash, isSignedBy, signed } from "../../../src/protocol/crypto/signature.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { Random } from "../../../src/testnet/state/random.ts";
import { makeVote } from "../../../src/testnet/validator/gossip/vote.ts";
import { type Identity, makeIdentity } from "../../../src/testnet/validator/identity.ts";
import { asHashes, asWindow } from "../../helpers/brands.ts";

const cycle = 7;
const random = Random.named("admission");
const ids = Array.from({ length: 3 }, () => random.hex(8)).sort();
const identities = ids.map((id) => makeIdentity(asNodeId(id), Buffer.from(random.hex(8), "hex")));
const [first, second, gone] = identities as [Identity, Identity, Identity];
/** The third one has left. */
const validators = makeValidatorSet([first, second], makeShard({ numNodes: 2 }));
const { voteBytesMax, receivedBytesMax } = validators;

const window = asWindow(cycle, cycle);

function newAdmission() {
  const seen = new KnownVotes();
  return {
    seen,
    admit: (received: string) => admit(received, window, () => validators, seen),
    admitAsync: (received: string) => admitAsync(received, window, () => validators, seen),
  };
}

/** A vote that names the same hash for each partition: 64 times a letter. */
function vote(letter: string, identity = first, of = cycle) {
  return makeVote(
    identity,
    asCycle(of),
    asHashes(new Map([-1, 0, 1].map((partition) => [partition, letter.repeat(64)]))),
  );
}

/** A vote with further signed fields. */
function voteWith(extra: object, identity = first) {
  const { sign: _, ...unsigned } = vote("a", identity);
  return signed({ ...unsigned, ...extra }, identity.privateKey);
}

function sized(bytes: number) {
  const { sign: _, ...empty } = voteWith({ filler: "" });
  return voteWith({ filler: "x".repeat(bytes - canonicalTextOf(empty).length) });
}

const text = (value: object) => JSON.stringify(value);
const plain = vote("a");
const sign = plain.sign;

const badlySigned = {
  ...plain,
  sign: { ...sign, sig: (sign.sig.startsWith("0") ? "1" : "0") + sign.sig.slice(1) },
};

/** The reason of a rejection, and whose fault it is when a third node forwards the message. */
function outcome(admission: Admission): string {
  if (admission.kind !== "rejected") return admission.kind;
  return `${admission.reason}, fault ${faultOf(admission, { relay: "third", areSettingsProved: true }).kind}`;
}

/** Under `sig` the network's parser leaves a short-form buffer alone, but revives a long one. */
const longBuffer = { sig: { type: "Buffer", data: [1, 2, 3] } };
const deep = `${'{"a":'.repeat(600)}1${"}".repeat(600)}`;

const cases: readonly { id: string; received: string; expected: string }[] = [
  { id: "a vote", received: text(plain), expected: "new" },
  {
    id: "a vote of the first design",
    received: text(signed({ cycle, data: { 0: "a".repeat(64) }, sender: first.id }, first.privateKey)),
    expected: "new",
  },
  { id: "a pretty-printed vote", received: JSON.stringify(plain, null, 2), expected: "new" },
  {
    id: "a vote with its signature in capitals",
    received: text({ ...plain, sign: { owner: sign.owner.toUpperCase(), sig: sign.sig.toUpperCase() } }),
    expected: "new",
  },
  {
    id: "a vote with a key that the network drops",
    received: text(plain).replace("{", '{"constructor":{"junk":1},'),
    expected: "new",
  },
  {
    id: "a vote with __proto__ in it",
    received: text(plain).replace("{", '{"__proto__":{"sender":1},'),
    expected: "new",
  },
  {
    id: "a vote with keys that the network drops among its hashes",
    received: text(plain).replace('"partitionHash":{', '"partitionHash":{"prototype":7,"constructor":"x",'),
    expected: "new",
  },
  {
    id: "a vote with further keys in sign",
    received: text({ ...plain, sign: { junk: "x".repeat(9_000), ...sign } }),
    expected: "new",
  },
  {
    id: "a vote with a long-form buffer under a sig key",
    received: text(voteWith(longBuffer)),
    expected: "new",
  },
  { id: "a vote that fills its bound", received: text(sized(voteBytesMax)), expected: "new" },
  {
    id: "a vote that white space makes too long to keep as received",
    received: text(plain).replace("{", `{${" ".repeat(voteBytesMax)}`),
    expected: "new",
  },
  {
    id: "a vote that white space makes too long to be parsed",
    received: text(plain).replace("{", `{${" ".repeat(receivedBytesMax)}`),
    expected: "limit, fault none",
  },
  {
    id: "a vote with a key that the network drops, nested deeply",
    received: text(plain).replace("{", `{"constructor":${deep},`),
    expected: "limit, fault none",
  },
  {
    id: "a signed vote nested deeply",
    received: text(voteWith({ extra: "JUNK" })).replace('"JUNK"', deep),
    expected: "limit, fault none",
  },
  {
    id: "a signed vote that is too long",
    received: text(sized(voteBytesMax + 1)),
    expected: "oversized, fault signed",
  },
  {
    id: "a signed vote without hashes",
    received: text(signed({ cycle, sender: first.id }, first.privateKey)),
    expected: "malformed, fault signed",
  },
  {
    id: "a signed vote without a cycle",
    received: text(signed({ sender: first.id }, first.privateKey)),
    expected: "malformed, fault signed",
  },
  {
    id: "a signed vote of a negative cycle",
    received: text(signed({ cycle: -5, sender: first.id }, first.privateKey)),
    expected: "malformed, fault signed",
  },
  {
    id: "a signed vote with an invalid hash",
    received: text(voteWith({ data: { 0: "x" } })),
    expected: "malformed, fault signed",
  },
  {
    id: "a vote in another validator's name",
    received: text(vote("a", { ...second, id: first.id })),
    expected: "misattributed, fault none",
  },
  {
    id: "a signed empty object",
    received: text(signed({}, first.privateKey)),
    expected: "malformed, fault signed",
  },
  {
    id: "a vote of a node that has left",
    received: text(vote("a", gone)),
    expected: "stranger, fault none",
  },
  {
    id: "a vote of a node that had another ID before",
    received: text(vote("a", { ...first, id: gone.id })),
    expected: "stranger, fault none",
  },
  {
    id: "a vote of another cycle",
    received: text(vote("a", first, cycle + 1)),
    expected: "other-cycle, fault none",
  },
  {
    id: "a vote with a stranger's signature",
    received: text(vote("a", { ...gone, id: first.id })),
    expected: "other-key, fault relayed",
  },
  {
    id: "a vote with one hash changed",
    received: text(plain).replace("aaa", "bbb"),
    expected: "unsigned, fault relayed",
  },
  {
    id: "a vote whose signature has one digit changed",
    received: text({
      ...plain,
      sign: { ...sign, sig: (sign.sig.startsWith("0") ? "1" : "0") + sign.sig.slice(1) },
    }),
    expected: "unsigned, fault relayed",
  },
  {
    id: "a vote with an unsigned field",
    received: text({ ...plain, extra: 1 }),
    expected: "unsigned, fault relayed",
  },
  {
    id: "a vote without a signature",
    received: text({ ...plain, sign: undefined }),
    expected: "unsigned, fault relayed",
  },
  {
    id: "a vote whose signature is null",
    received: text({ ...plain, sign: null }),
    expected: "unsigned, fault relayed",
  },
  { id: "an empty object", received: "{}", expected: "unsigned, fault relayed" },
  { id: "a list", received: "[]", expected: "unsigned, fault relayed" },
  { id: "null", received: "null", expected: "not-json, fault relayed" },
  { id: "a number", received: "5", expected: "not-json, fault relayed" },
  { id: "nothing", received: "", expected: "not-json, fault relayed" },
  { id: "half a vote", received: text(plain).slice(0, 80), expected: "not-json, fault relayed" },
];

it.each([
  { id: "not UTF-8", bytes: Buffer.from([0x7b, 0xff, 0x7d]), expected: "not-json, fault relayed" },
  {
    id: "too long to become a text",
    bytes: Buffer.alloc(receivedBytesMax + 1),
    expected: "limit, fault none",
  },
  { id: "a vote", bytes: Buffer.from(text(plain)), expected: "new" },
])("admits bytes as it admits text: $id", ({ bytes, expected }) => {
  expect(outcome(admit(bytes, window, () => validators, new KnownVotes()))).toBe(expected);
});

it.each([
  { id: "the only cycle", of: asWindow(6, 6), problem: "its cycle is not 6" },
  { id: "earlier cycles", of: asWindow(3, 6), problem: "its cycle is not one of 3 to 6" },
  { id: "later cycles", of: asWindow(8, 9), problem: "its cycle is not one of 8 to 9" },
])("rejects a vote outside of the window of $id", ({ of, problem }) => {
  const admission = admit(text(plain), of, () => validators, new KnownVotes());
  expect(admission).toMatchObject({ kind: "rejected", reason: "other-cycle", problem });
});

it("admits a vote under the validator set of its own cycle", () => {
  const others = makeValidatorSet([second], makeShard({ numNodes: 1 }));
  const setOf = (of: number | undefined) => (of === cycle ? validators : others);
  expect(admit(text(plain), window, setOf, new KnownVotes()).kind).toBe("new");
  const wide = asWindow(0, 9);
  expect(outcome(admit(text(vote("a", first, 8)), wide, setOf, new KnownVotes()))).toBe(
    "stranger, fault none",
  );
});

describe("admission of", () => {
  it.each(cases)("$id", ({ received, expected }) => {
    const admission = newAdmission();
    const before = admission.admit(received);
    expect(outcome(before)).toBe(expected);
    // Whatever arrived before it, the honest copy of a vote counts.
    expect(outcome(admission.admit(text(vote("b", second))))).toBe("new");
    if (before.kind !== "new") expect(outcome(admission.admit(text(plain)))).toBe("new");
  });

  it.each(cases)(
    "$id has the same result if signatures are checked on another thread",
    async ({ received, expected }) => {
      expect(outcome(await newAdmission().admitAsync(received))).toBe(expected);
    },
  );
});

describe("the text that is kept of", () => {
  const admitted = cases.filter(({ expected }) => expected === "new");
  it.each(admitted)("$id is one line that is admitted by itself", ({ received }) => {
    const admission = newAdmission().admit(received);
    if (admission.kind !== "new") return expect.unreachable();
    const { text: line, ...rest } = admission.vote;
    expect(line).not.toContain("\n");
    expect(line.length).toBeLessThan(voteBytesMax + 300);
    expect(isSignedBy(JSON.parse(line))).toBe(true);
    expect(newAdmission().admit(line)).toEqual({ kind: "new", vote: { text: line, ...rest } });
  });

  it.each([
    { id: "a plain vote", received: text(plain) },
    {
      id: "a vote whose signature would not be valid for its rewritten text",
      received: text(voteWith(longBuffer)),
    },
  ])("$id is the text as received", ({ received }) => {
    expect(newAdmission().admit(received)).toMatchObject({ kind: "new", vote: { text: received } });
  });

  it("a lengthened vote is only what was signed", () => {
    const decorated = text({ ...plain, sign: { ...sign, a: 1 } }).replace("{", '{"constructor":1,');
    expect(newAdmission().admit(decorated)).toMatchObject({
      kind: "new",
      vote: {
        text: `${canonicalTextOf({ cycle, data: plain.data, sender: first.id }).slice(0, -1)},"sign":${text(sign)}}`,
      },
    });
  });
});

describe("messages of one sender", () => {
  it.each([
    { id: "the same text", again: text(plain) },
    { id: "other keys first", again: text({ sign, sender: plain.sender, data: plain.data, cycle }) },
    { id: "more white space", again: `${JSON.stringify(plain, null, 1)}\n` },
    { id: "a key that the network drops", again: text(plain).replace("{", '{"constructor":{},') },
    { id: "further keys in sign", again: text({ ...plain, sign: { ...sign, a: 1 } }) },
  ])("are the same vote with $id", ({ again }) => {
    for (const order of [
      [text(plain), again],
      [again, text(plain)],
    ]) {
      const admission = newAdmission();
      expect(order.map((one) => admission.admit(one).kind)).toEqual(["new", "duplicate"]);
    }
  });

  it("are an equivocation if the second one differs; a third is superfluous", () => {
    const admission = newAdmission();
    expect(admission.admit(text(vote("b")))).toMatchObject({ kind: "new" });
    const second = admission.admit(text(vote("a")));
    expect(second).toMatchObject({
      kind: "equivocation",
      vote: { sender: first.id, text: text(vote("a")) },
      first: { cycle, sender: first.id, hash: vote("b").sign.sig.slice(128) },
    });
    expect(outcome(admission.admit(text(vote("c"))))).toBe("superfluous, fault none");
    expect(admission.admit(text(vote("a"))).kind).toBe("duplicate");
  });

  it("convict it once, however many of them are malformed", () => {
    const admission = newAdmission();
    const reasons = [1, 2, 3].map((junk) => outcome(admission.admit(text(voteWith({ data: junk })))));
    expect(reasons).toEqual([
      "malformed, fault signed",
      "superfluous, fault none",
      "superfluous, fault none",
    ]);
    expect(admission.admit(text(plain)).kind).toBe("new");
  });

  it("do not include those that another node signs in its name", () => {
    const admission = newAdmission();
    const forged = admission.admit(text(vote("b", { ...second, id: first.id })));
    expect(forged).toMatchObject({ reason: "misattributed", sender: second.id });
    expect(admission.admit(text(plain)).kind).toBe("new");
  });

  it("count once if the same one arrives twice while its signature is checked", async () => {
    const admission = newAdmission();
    const both = await Promise.all([admission.admitAsync(text(plain)), admission.admitAsync(text(plain))]);
    expect(both.map(({ kind }) => kind)).toEqual(["new", "duplicate"]);
  });
});

describe("a copy of a known vote", () => {
  it.each([
    { id: "with one hash changed", copy: text(plain).replace("aaa", "bbb") },
    { id: "with one digit of its signature changed", copy: text(badlySigned) },
  ])("$id is blamed on the relay, whichever arrives first", ({ copy }) => {
    for (const order of [
      [text(plain), copy],
      [copy, text(plain)],
    ]) {
      const admission = newAdmission();
      const outcomes = order.map((one) => outcome(admission.admit(one)));
      expect(outcomes.sort()).toEqual(["new", "unsigned, fault relayed"]);
    }
  });
});

describe("a known vote", () => {
  const known = (letter: string) => ({
    cycle: asCycle(cycle),
    sender: first.id,
    hash: claimedHash(vote(letter).sign),
  });

  it("from elsewhere makes the same vote a duplicate, and a different one an equivocation", () => {
    const admission = newAdmission();
    admission.seen.add(known("a"));
    expect(admission.admit(text(plain)).kind).toBe("duplicate");
    expect(admission.admit(text(vote("b")))).toMatchObject({ kind: "equivocation", first: known("a") });
  });

  it("is new again once it is deleted", () => {
    const admission = newAdmission();
    admission.admit(text(plain));
    admission.admit(text(vote("b")));
    admission.seen.delete(known("a"));
    expect(admission.admit(text(vote("b"))).kind).toBe("duplicate");
    expect(admission.admit(text(plain))).toMatchObject({ kind: "equivocation", first: known("b") });
    admission.seen.delete(known("a"));
    admission.seen.delete(known("b"));
    expect(admission.admit(text(plain)).kind).toBe("new");
  });

  it("is forgotten with its cycle", () => {
    const admission = newAdmission();
    admission.admit(text(plain));
    admission.admit(text(voteWith({ data: 1 })));
    admission.seen.dropBefore(asCycle(cycle));
    expect(admission.admit(text(plain)).kind).toBe("duplicate");
    admission.seen.dropBefore(asCycle(cycle + 1));
    expect(outcome(admission.admit(text(voteWith({ data: 1 }))))).toBe("malformed, fault signed");
    expect(admission.admit(text(plain)).kind).toBe("new");
  });
});

it("a message with more values than any vote of its network is skipped, and nobody is blamed", () => {
  const many = voteWith({ filler: Array.from({ length: validators.jsonBounds.valuesMax }, () => 0) });
  const admission = newAdmission().admit(text(many));
  expect(outcome(admission)).toBe("limit, fault none");
});
