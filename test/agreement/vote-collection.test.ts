import { describe, expect, it } from "vitest";
import { VoteCollection } from "../../src/agreement/vote-collection.ts";
import { gossipMessageBytesBase, gossipMessageBytesPerPartition } from "../../src/limits/gossip.ts";
import { asCycle, asNodeId, asPartition } from "../../src/protocol/brands.ts";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { isSignedBy, signed } from "../../src/protocol/crypto/signature.ts";
import { makeShard, storedCount } from "../../src/protocol/shard.ts";
import { Random } from "../../src/testnet/state/random.ts";
import { makeVote, type SignedVote } from "../../src/testnet/validator/gossip/vote.ts";
import { type Identity, makeIdentity } from "../../src/testnet/validator/identity.ts";
import { asHashes } from "../helpers/brands.ts";

const cycle = 7;
const random = Random.named("vote-collection");
const ids = Array.from({ length: 3 }, () => random.hex(8)).sort();
const identities = ids.map((id) => makeIdentity(asNodeId(id), Buffer.from(random.hex(8), "hex")));
const nodes = identities.map(({ id, publicKey }) => ({ id, publicKey, url: "http://127.0.0.1:1" }));
const shard = { ...makeShard({ numNodes: 3 }), cycleNumber: asCycle(cycle) };
const bytesMax = gossipMessageBytesBase + gossipMessageBytesPerPartition * (storedCount(shard) + 1);

const [first, second] = identities as [Identity, Identity, Identity];

function newCollection(): VoteCollection {
  return new VoteCollection(shard, nodes, DEFAULT_HASH_KEY);
}

/** A vote that names the same hash for each partition: 64 times a letter. */
function vote(letter: string, identity: Identity = first): SignedVote {
  const hashes = new Map([-1, 0, 1, 2].map((partition) => [partition, letter.repeat(64)]));
  return makeVote(identity, asCycle(cycle), asHashes(hashes));
}

function evidenceOf(votes: VoteCollection): string[] {
  return [...votes.evidence()].map((line) => line.toString("utf8"));
}

function lineOf(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

/** The text that is kept of a message that a relay has lengthened. */
function canonicalLineOf({ sign: { owner, sig }, ...unsigned }: SignedVote): string {
  return `${canonicalTextOf(unsigned).slice(0, -1)},"sign":${JSON.stringify({ owner, sig })}}\n`;
}

describe("unsigned content that a relay adds to a vote", () => {
  const message = vote("a");
  const decorated = (extra: object) => JSON.stringify({ ...message, sign: { ...extra, ...message.sign } });

  it.each([
    { id: "text", extra: { junk: "x".repeat(50_000) } },
    { id: "a second signature", extra: { signs: [message.sign, message.sign] } },
    {
      id: "keys with a meaning elsewhere",
      extra: { toJSON: 1, dataType: "bi", value: "no number", type: "Buffer" },
    },
  ])("is not kept in the evidence: $id", ({ extra }) => {
    const votes = newCollection();
    expect(votes.admit(decorated(extra)).kind).toBe("new");
    expect(evidenceOf(votes)).toEqual([canonicalLineOf(message)]);
    expect(isSignedBy(JSON.parse(evidenceOf(votes).join("")))).toBe(true);
  });

  it("does not make it another vote", () => {
    const votes = newCollection();
    expect(votes.admit(decorated({ a: 1 })).kind).toBe("new");
    expect(votes.admit(decorated({ b: 2 })).kind).toBe("duplicate");
    expect(votes.admit(JSON.stringify(message)).kind).toBe("duplicate");
    expect(evidenceOf(votes)).toEqual([canonicalLineOf(message)]);
  });

  it("is not kept in the evidence of an equivocation", () => {
    const votes = newCollection();
    const other = vote("b");
    votes.admit(JSON.stringify(other));
    expect(votes.admit(decorated({ junk: "x".repeat(50_000) })).kind).toBe("equivocation");
    expect(evidenceOf(votes)).toEqual([lineOf(other), canonicalLineOf(message)]);
  });
});

describe("a deeply nested message", () => {
  const depth = 20_000;
  const message = vote("a");
  const lists = "[".repeat(depth) + "]".repeat(depth);
  const objects = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  const marker = '"JUNK"';
  const text = (value: object) => JSON.stringify(value);
  const { sign } = message;
  const places: { place: string; template: string }[] = [
    { place: "the whole", template: marker },
    { place: "the cycle", template: text({ ...message, cycle: "JUNK" }) },
    { place: "the data", template: text({ ...message, data: "JUNK" }) },
    {
      place: "the hashes",
      template: text({ ...message, data: { partitionHash: "JUNK" } }),
    },
    { place: "a hash", template: text({ ...message, data: { 0: "JUNK" } }) },
    { place: "the sender", template: text({ ...message, sender: "JUNK" }) },
    { place: "the signature", template: text({ ...message, sign: "JUNK" }) },
    {
      place: "its owner",
      template: text({ ...message, sign: { ...sign, owner: "JUNK" } }),
    },
    {
      place: "its digits",
      template: text({ ...message, sign: { ...sign, sig: "JUNK" } }),
    },
    { place: "what is signed", template: text({ ...message, extra: "JUNK" }) },
    {
      place: "a message with the sender's signature and no hashes",
      template: text({ cycle, sender: message.sender, sign, extra: "JUNK" }),
    },
    {
      place: "what is not signed",
      template: text({ ...message, sign: { ...sign, a: "JUNK" } }),
    },
  ];
  const cases = places.flatMap(({ place, template }) => [
    { what: "lists", place, received: template.replace(marker, lists) },
    { what: "objects", place, received: template.replace(marker, objects) },
  ]);

  it.each(cases)("is rejected without an exception: $what in place of $place", ({ received }) => {
    const votes = newCollection();
    expect(votes.admit(received).kind).toBe("rejected");
    expect(evidenceOf(votes)).toEqual([]);
    // The true message counts nevertheless.
    expect(votes.admit(text(message)).kind).toBe("new");
  });

  it.each(["", "null", "5", '"text"', "[]", "{}", '{"sign":null}', `{"sender":"${first.id}","sign":null}`])(
    "and so is a text that is not a message: %j",
    (received) => expect(newCollection().admit(received).kind).toBe("rejected"),
  );
});

describe("the size of a message", () => {
  /** A signed message whose canonical text has the given number of bytes. */
  const messageOf = (bytes: number) => {
    const { sign: _, ...unsigned } = vote("a");
    const empty = signed({ ...unsigned, filler: "" }, first.privateKey);
    const { sign: _sign, ...signedPart } = empty;
    const filler = "x".repeat(bytes - canonicalTextOf(signedPart).length);
    return signed({ ...unsigned, filler }, first.privateKey);
  };

  it("may be as large as the largest vote of its network", () => {
    const votes = newCollection();
    expect(votes.admit(JSON.stringify(messageOf(bytesMax))).kind).toBe("new");
    expect(evidenceOf(votes)).toEqual([lineOf(messageOf(bytesMax))]);
  });

  it("beyond that is an offence of its sender", () => {
    const votes = newCollection();
    const problem = expect.stringContaining(`more than ${bytesMax}`);
    const rejection = { kind: "rejected", reason: "oversized", problem, sender: first.id };
    expect(votes.admit(JSON.stringify(messageOf(bytesMax + 1)))).toEqual(rejection);
    expect(votes.size).toBe(0);
    expect(evidenceOf(votes)).toEqual([]);
  });

  it("beyond that prevents an equivocation", () => {
    const votes = newCollection();
    votes.admit(JSON.stringify(vote("b")));
    expect(votes.admit(JSON.stringify(messageOf(bytesMax + 1))).kind).toBe("rejected");
    expect(evidenceOf(votes)).toEqual([lineOf(vote("b"))]);
  });
});

describe("messages of one sender", () => {
  it("count once, however often they arrive", () => {
    const votes = newCollection();
    const message = vote("a");
    const { cycle: number, data, sender, sign } = message;
    const inOtherOrder = JSON.stringify({ sign, sender, data, cycle: number }, null, 1);
    expect(votes.admit(JSON.stringify(message))).toMatchObject({ kind: "new" });
    expect(votes.admit(JSON.stringify(message))).toMatchObject({ kind: "duplicate" });
    expect(votes.admit(inOtherOrder)).toMatchObject({ kind: "duplicate" });
    expect(votes.tally.agreement(asPartition(0))).toMatchObject({
      hash: "a".repeat(64),
      votesFor: 1,
      votesAgainst: 0,
    });
  });

  it("are an equivocation if the second one differs, and only the first one counts", () => {
    const votes = newCollection();
    const texts = ["b", "a", "c"].map((letter) => JSON.stringify(vote(letter)));
    expect(texts.map((text) => votes.admit(text))).toMatchObject([
      { kind: "new" },
      { kind: "equivocation", vote: { sender: first.id } },
      { kind: "rejected", reason: "superfluous" },
    ]);
    expect(votes.admit(texts[1] ?? "").kind).toBe("duplicate");
    expect(votes.tally.agreement(asPartition(0))).toMatchObject({
      hash: "b".repeat(64),
      votesFor: 1,
      votesAgainst: 0,
    });
    expect(evidenceOf(votes)).toEqual([lineOf(vote("b")), lineOf(vote("a"))]);
  });

  it("are not an equivocation if the second one is signed by another node", () => {
    const votes = newCollection();
    const forged = makeVote(
      { ...second, id: first.id },
      asCycle(cycle),
      asHashes(new Map([[0, "b".repeat(64)]])),
    );
    votes.admit(JSON.stringify(vote("a")));
    expect(votes.admit(JSON.stringify(forged))).toMatchObject({ reason: "misattributed", sender: second.id });
    expect(votes.admit(JSON.stringify(vote("b", second))).kind).toBe("new");
    expect(evidenceOf(votes)).toEqual([lineOf(vote("a")), lineOf(vote("b", second))]);
  });
});

describe("what contradicts the sharding settings", () => {
  // Each of seven nodes stores its own partition and its neighbours'.
  const sevenIds = Array.from({ length: 7 }, () => random.hex(8)).sort();
  const seven = sevenIds.map((id) => makeIdentity(asNodeId(id), Buffer.from(random.hex(8), "hex")));
  const ring = makeShard({ numNodes: 7, nodesPerConsensusGroup: 3, nodesPerEdge: 0 });
  const sevenNodes = seven.map(({ id, publicKey }) => ({ id, publicKey, url: "http://127.0.0.1:1" }));
  const naming = (partitions: readonly number[], index: number) =>
    makeVote(
      seven[index] ?? first,
      asCycle(cycle),
      asHashes(new Map(partitions.map((of) => [of, "a".repeat(64)]))),
    );

  it.each([
    { id: "as many partitions as a node stores", partitions: [-1, 0, 1, 2], contradicts: false },
    { id: "all of them but the global one", partitions: [0, 1, 2], contradicts: false },
    { id: "fewer partitions", partitions: [-1, 1, 2], contradicts: true },
    { id: "more partitions", partitions: [-1, 0, 1, 2, 3], contradicts: true },
    { id: "other partitions", partitions: [-1, 1, 2, 3], contradicts: true },
    { id: "no partition", partitions: [], contradicts: true },
  ])("is a vote that names $id: $contradicts", ({ partitions, contradicts }) => {
    const votes = new VoteCollection({ ...ring, cycleNumber: asCycle(cycle) }, sevenNodes, DEFAULT_HASH_KEY);
    expect(votes.admit(JSON.stringify(naming(partitions, 1))).kind).toBe("new");
    expect(votes.contradictingGeometry()).toEqual(contradicts ? [sevenIds[1]] : []);
    const named = new Map(partitions.map((of) => [of, "a".repeat(64)]));
    for (const [partition, hash] of votes.hashesOf(asNodeId(sevenIds[1] ?? "")))
      expect(named.get(partition)).toBe(hash);
  });

  it("is a vote that is longer than the stored partitions need", () => {
    const { sign: _, ...unsigned } = naming([-1, 0, 1, 2], 1);
    const long = signed({ ...unsigned, filler: "x".repeat(50_000) }, (seven[1] ?? first).privateKey);
    const votes = new VoteCollection({ ...ring, cycleNumber: asCycle(cycle) }, sevenNodes, DEFAULT_HASH_KEY);
    expect(votes.admit(JSON.stringify(long))).toMatchObject({ reason: "oversized", sender: sevenIds[1] });
    expect(votes.contradictingGeometry()).toEqual([sevenIds[1]]);
  });
});
