import { describe, expect, it } from "vitest";
import { BallotBox } from "../../src/assemble/ballot.ts";
import { Random } from "../../src/cluster/random.ts";
import { canonicalTextOf } from "../../src/model/canonical.ts";
import { DEFAULT_HASH_KEY } from "../../src/model/hash.ts";
import { gossipMessageBytesBase, gossipMessageBytesPerPartition } from "../../src/model/limits.ts";
import { makeShard } from "../../src/model/shard.ts";
import { isSignedBy, signed } from "../../src/model/signature.ts";
import { type Identity, makeIdentity } from "../../src/validator/identity.ts";
import { makeVote, type SignedVote } from "../../src/validator/vote.ts";

const cycle = 7;
const random = Random.named("ballots");
const ids = Array.from({ length: 3 }, () => random.hex(8)).sort();
const identities = ids.map((id) => makeIdentity(id, Buffer.from(random.hex(8), "hex")));
const nodes = identities.map(({ id, publicKey }) => ({ id, publicKey, url: "http://127.0.0.1:1" }));
const shard = { ...makeShard({ numNodes: 3 }), cycleNumber: cycle, nodeIds: ids };
const bytesMax = gossipMessageBytesBase + gossipMessageBytesPerPartition * (shard.numNodes + 1);

const [first, second] = identities as [Identity, Identity, Identity];

function newBox(): BallotBox {
  return new BallotBox(shard, nodes, DEFAULT_HASH_KEY);
}

/** A vote for one and the same hash, told by a letter. */
function vote(letter: string, identity: Identity = first): SignedVote {
  const hashes = new Map([-1, 0, 1, 2].map((partition) => [partition, letter.repeat(64)]));
  return makeVote(identity, cycle, hashes);
}

function evidenceOf(box: BallotBox): string[] {
  return [...box.evidence()].map((line) => line.toString("utf8"));
}

function lineOf(message: object): string {
  return `${canonicalTextOf(message)}\n`;
}

describe("what others add to a signature", () => {
  const message = vote("a");
  const decorated = (extra: object) => JSON.stringify({ ...message, sign: { ...extra, ...message.sign } });

  it.each([
    { id: "text", extra: { junk: "x".repeat(100_000) } },
    { id: "a second signature", extra: { signs: [message.sign, message.sign] } },
    {
      id: "names that mean something",
      extra: { toJSON: 1, dataType: "bi", value: "no number", type: "Buffer" },
    },
  ])("does not get into the evidence: $id", ({ extra }) => {
    const box = newBox();
    expect(box.cast(decorated(extra), "test")).toEqual({ outcome: "counted" });
    expect(evidenceOf(box)).toEqual([lineOf(message)]);
    expect(isSignedBy(JSON.parse(evidenceOf(box).join("")))).toBe(true);
  });

  it("makes no other message of it", () => {
    const box = newBox();
    expect(box.cast(decorated({ a: 1 }), "test").outcome).toBe("counted");
    expect(box.cast(decorated({ b: 2 }), "test").outcome).toBe("known");
    expect(box.cast(JSON.stringify(message), "test").outcome).toBe("known");
    expect(evidenceOf(box)).toEqual([lineOf(message)]);
  });

  it("does not get into the evidence of an equivocation either", () => {
    const box = newBox();
    const other = vote("b");
    box.cast(JSON.stringify(other), "test");
    expect(box.cast(decorated({ junk: "x".repeat(100_000) }), "test").outcome).toBe("equivocation");
    expect(evidenceOf(box)).toEqual([lineOf(other), lineOf(message)]);
  });
});

describe("what is nested deeply", () => {
  const depth = 20_000;
  const message = vote("a");
  const lists = "[".repeat(depth) + "]".repeat(depth);
  const objects = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  const marker = '"JUNK"';
  const text = (value: object) => JSON.stringify(value);
  const { sign } = message;
  const places: { place: string; template: string; outcome: string }[] = [
    { place: "the whole", template: marker, outcome: "invalid" },
    { place: "the cycle", template: text({ ...message, cycle: "JUNK" }), outcome: "invalid" },
    { place: "the data", template: text({ ...message, data: "JUNK" }), outcome: "invalid" },
    {
      place: "the hashes",
      template: text({ ...message, data: { partitionHash: "JUNK" } }),
      outcome: "invalid",
    },
    { place: "a hash", template: text({ ...message, data: { 0: "JUNK" } }), outcome: "invalid" },
    { place: "the sender", template: text({ ...message, sender: "JUNK" }), outcome: "invalid" },
    { place: "the signature", template: text({ ...message, sign: "JUNK" }), outcome: "invalid" },
    {
      place: "its owner",
      template: text({ ...message, sign: { ...sign, owner: "JUNK" } }),
      outcome: "invalid",
    },
    {
      place: "its digits",
      template: text({ ...message, sign: { ...sign, sig: "JUNK" } }),
      outcome: "invalid",
    },
    { place: "what is signed", template: text({ ...message, extra: "JUNK" }), outcome: "invalid" },
    {
      place: "a message with the sender's signature and no hashes",
      template: text({ cycle, sender: message.sender, sign, extra: "JUNK" }),
      outcome: "invalid",
    },
    {
      place: "what is not signed",
      template: text({ ...message, sign: { ...sign, a: "JUNK" } }),
      outcome: "invalid",
    },
  ];
  const cases = places.flatMap(({ place, template, outcome }) => [
    { what: "lists", place, received: template.replace(marker, lists), outcome },
    { what: "objects", place, received: template.replace(marker, objects), outcome },
  ]);

  it.each(cases)("throws nothing: $what in the place of $place", ({ received, outcome }) => {
    const box = newBox();
    expect(box.cast(received, "test").outcome).toBe(outcome);
    expect(evidenceOf(box)).toEqual(outcome === "counted" ? [lineOf(message)] : []);
    // The true message counts all the same.
    expect(box.cast(text(message), "test").outcome).toBe(outcome === "counted" ? "known" : "counted");
  });

  it.each(["", "null", "5", '"text"', "[]", "{}", '{"sign":null}', `{"sender":"${first.id}","sign":null}`])(
    "nor does what is nothing of the kind: %j",
    (received) => expect(newBox().cast(received, "test").outcome).toBe("invalid"),
  );
});

describe("the size of a message", () => {
  /** A signed message whose canonical text has so many bytes. */
  const messageOf = (bytes: number) => {
    const { sign: _, ...unsigned } = vote("a");
    const empty = signed({ ...unsigned, filler: "" }, first.privateKey);
    const filler = "x".repeat(bytes - canonicalTextOf(empty).length);
    return signed({ ...unsigned, filler }, first.privateKey);
  };

  it("may be what its network could need", () => {
    const box = newBox();
    expect(box.cast(JSON.stringify(messageOf(bytesMax)), "test").outcome).toBe("counted");
    expect(evidenceOf(box)).toEqual([lineOf(messageOf(bytesMax))]);
  });

  it("may not be more: it is invalid, and its sender's doing", () => {
    const box = newBox();
    const ballot = box.cast(JSON.stringify(messageOf(bytesMax + 1)), "test");
    const problem = expect.stringContaining(`more than ${bytesMax}`);
    expect(ballot).toEqual({ outcome: "invalid", problem, sender: first.id, isProven: true });
    expect(box.collector.messages.size).toBe(0);
    expect(evidenceOf(box)).toEqual([]);
  });

  it("does not make it an equivocation that is kept", () => {
    const box = newBox();
    box.cast(JSON.stringify(vote("b")), "test");
    expect(box.cast(JSON.stringify(messageOf(bytesMax + 1)), "test").outcome).toBe("invalid");
    expect(evidenceOf(box)).toEqual([lineOf(vote("b"))]);
  });
});

describe("messages of one sender", () => {
  it("count once, however often they come", () => {
    const box = newBox();
    const message = vote("a");
    const { cycle: number, data, sender, sign } = message;
    const inOtherOrder = JSON.stringify({ sign, sender, data, cycle: number }, null, 1);
    expect(box.cast(JSON.stringify(message), "test")).toEqual({ outcome: "counted" });
    expect(box.cast(JSON.stringify(message), "other")).toEqual({ outcome: "known" });
    expect(box.cast(inOtherOrder, "test")).toEqual({ outcome: "known" });
    expect(box.collector.agreement(0)).toMatchObject({ hash: "a".repeat(64), votesFor: 1, votesAgainst: 0 });
  });

  it("are an equivocation where the second one differs, and only the first one counts", () => {
    const box = newBox();
    const texts = ["b", "a", "c"].map((letter) => JSON.stringify(vote(letter)));
    expect(texts.map((text) => box.cast(text, "test"))).toEqual([
      { outcome: "counted" },
      { outcome: "equivocation", sender: first.id },
      { outcome: "known" },
    ]);
    expect(box.cast(texts[1] ?? "", "test").outcome).toBe("known");
    expect(box.collector.agreement(0)).toMatchObject({ hash: "b".repeat(64), votesFor: 1, votesAgainst: 0 });
    expect(evidenceOf(box)).toEqual([lineOf(vote("b")), lineOf(vote("a"))]);
  });

  it("are not an equivocation where the second one is signed by somebody else", () => {
    const box = newBox();
    const forged = makeVote({ ...second, id: first.id }, cycle, new Map([[0, "b".repeat(64)]]));
    box.cast(JSON.stringify(vote("a")), "test");
    expect(box.cast(JSON.stringify(forged), "test")).toMatchObject({ outcome: "invalid", isProven: false });
    expect(box.cast(JSON.stringify(vote("b", second)), "test").outcome).toBe("counted");
    expect(evidenceOf(box)).toEqual([lineOf(vote("a")), lineOf(vote("b", second))]);
  });
});
