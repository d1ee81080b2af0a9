import { describe, expect, it } from "vitest";
import { asCycle, asPartition } from "../../../src/protocol/brands.ts";
import { isSignedBy } from "../../../src/protocol/crypto/signature.ts";
import { inDatabase, startCollector } from "../running-collector.ts";
import {
  identities,
  testNetwork,
  trueHash,
  trueHashes,
  trueNetworkHash,
  voteOf,
  votesOf,
} from "../test-network.ts";

const idOf = (index: number) => identities[index]?.id ?? "";
const lie = "ee".repeat(32);
const good = voteOf(1, 20);
const { owner, sig } = good.sign;

/** The hash that was signed is right, the signature over it is not: the most expensive forgery to detect. */
function forgedVote(index: number, cycle: number) {
  const vote = voteOf(index, cycle);
  return { ...vote, sign: { owner: vote.sign.owner, sig: `${"0".repeat(128)}${vote.sign.sig.slice(128)}` } };
}

describe("a pushed message", () => {
  it("is kept as one line, and is known the next time", async () => {
    const collector = await startCollector(await testNetwork());
    const text = JSON.stringify(voteOf(2, 20), null, 1);
    expect(await collector.post(text)).toEqual({ status: 202, body: { stored: 1, known: 0, refused: 0 } });
    expect(await collector.post(text)).toEqual({ status: 200, body: { stored: 0, known: 1, refused: 0 } });
    const [stored, ...others] = inDatabase(collector.database, (database) => [
      ...database.messagesOf(asCycle(20)),
    ]);
    expect(stored).toMatchObject({ cycle: 20, sender: idOf(2), isContradicting: false });
    expect(JSON.parse(stored?.text ?? "")).toEqual(voteOf(2, 20));
    expect(others).toEqual([]);
  });

  it("may be in a list, of which each message is admitted on its own", async () => {
    const collector = await startCollector(await testNetwork());
    const messages = [...votesOf(20), { ...voteOf(0, 19), cycle: 18 }, voteOf(1, 19), voteOf(1, 19)];
    const response = await collector.post({ messages });
    expect(response).toMatchObject({ status: 202, body: { stored: 6, known: 1, refused: 1 } });
    expect(inDatabase(collector.database, (database) => database.messageCount(asCycle(20)))).toBe(5);
    expect(inDatabase(collector.database, (database) => database.messageCount(asCycle(18)))).toBe(0);
  });

  it("is kept even if its list is cut off after it", async () => {
    const collector = await startCollector(await testNetwork());
    expect(await collector.post(`{"messages":[${JSON.stringify(good)}`)).toMatchObject({
      status: 202,
      body: { stored: 1, refused: 1, error: expect.stringMatching(/list of messages/) },
    });
  });

  it("is counted: hashes that more than half agree on are saved, and no others", async () => {
    const collector = await startCollector(await testNetwork());
    for (const index of [0, 1]) await collector.post(voteOf(index, 20));
    // Partition 0 is covered by nodes 4, 0 and 1; partition 1 by 0, 1 and 2.
    const two = inDatabase(collector.database, (database) => database.partitionHashes(asCycle(20)));
    expect(two).toEqual(new Map([0, 1].map((partition) => [partition, trueHash(partition)])));
    for (const index of [2, 3]) await collector.post(voteOf(index, 20));
    expect(await collector.until("agreed")).toMatchObject({
      cycle: 20,
      networkHash: trueNetworkHash,
      heard: 4,
      nodes: 5,
    });
    inDatabase(collector.database, (database) => {
      expect(database.partitionHashes(asCycle(20))).toEqual(trueHashes);
      expect(database.networkHash(asCycle(20))).toBe(trueNetworkHash);
    });
  });

  it("that is known is refused with an unsigned field, and accepted with other white space", async () => {
    const collector = await startCollector(await testNetwork());
    await collector.post(good);
    expect(await collector.post({ ...good, more: 1 })).toMatchObject({ status: 400 });
    expect(await collector.post(JSON.stringify(good, null, 2))).toMatchObject({ status: 200 });
  });

  it("that is pushed twice at once is acknowledged twice, and kept once", async () => {
    const collector = await startCollector(await testNetwork());
    const text = JSON.stringify(voteOf(3, 20));
    const responses = await Promise.all(Array.from({ length: 20 }, () => collector.post(text)));
    expect(responses.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(inDatabase(collector.database, (database) => database.messageCount(asCycle(20)))).toBe(1);
  });

  it.each([
    { id: "not JSON", body: "message", status: 400, problem: /not JSON/ },
    { id: "nothing", body: "", status: 400, problem: /not JSON/ },
    { id: "not an object", body: "7", status: 400, problem: /not an object/ },
    { id: "null", body: "null", status: 400, problem: /not an object/ },
    {
      id: "without a cycle",
      body: { ...good, cycle: "20" },
      status: 400,
      problem: /not signed with its key/,
    },
    {
      id: "of a negative cycle",
      body: { ...good, cycle: -13 },
      status: 400,
      problem: /not signed with its key/,
    },
    { id: "of a cycle far ahead", body: { ...good, cycle: 25 }, status: 400, problem: /not one of 0 to 24/ },
    {
      id: "of an unknown sender",
      body: { ...good, sender: lie },
      status: 403,
      problem: /not a validator of its cycle/,
    },
    {
      id: "of a sender that is not text",
      body: { ...good, sender: {} },
      status: 400,
      problem: /not signed with its key/,
    },
    {
      id: "of a node that is not active",
      body: voteOf(5, 20),
      status: 403,
      problem: /not a validator of its cycle/,
    },
    {
      id: "in another's name",
      body: { ...good, sender: idOf(2) },
      status: 400,
      problem: /not signed with its key/,
    },
    {
      id: "without a signature",
      body: { ...good, sign: null },
      status: 400,
      problem: /not signed with its key/,
    },
    {
      id: "with a signature that is not hex",
      body: { ...good, sign: { owner, sig: "x" } },
      status: 400,
      problem: /not signed with its key/,
    },
    {
      id: "with another signature",
      body: { ...good, sign: { owner, sig: `${"0".repeat(128)}${sig.slice(128)}` } },
      status: 400,
      problem: /not signed with its key/,
    },
    {
      id: "that was changed",
      body: { ...good, data: { partitionHash: { 0: lie } } },
      status: 400,
      problem: /not signed with its key/,
    },
    {
      id: "with an unsigned field",
      body: { ...good, more: 1 },
      status: 400,
      problem: /not signed with its key/,
    },
    {
      id: "with an invalid hash",
      body: { ...good, data: { partitionHash: { 0: "x" } } },
      status: 400,
      problem: /not signed with its key/,
    },
    {
      id: "that is too large",
      body: { ...good, more: "x".repeat(80_000) },
      status: 413,
      problem: /more than 73728 bytes/,
    },
    {
      id: "deeper than the stack",
      body: `{"cycle":20,"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
      status: 413,
      problem: /nested more than 500 levels deep/,
    },
    {
      id: "in a list that is cut off",
      body: `{"messages":[${JSON.stringify(good).slice(0, -1)}`,
      status: 400,
      problem: /list of messages/,
    },
    { id: "in a list of numbers", body: `{"messages":[1]}`, status: 400, problem: /list of messages/ },
    { id: "missing from a list", body: `{"messages":[]}`, status: 400, problem: /no message/ },
  ])("is refused if it is $id", async ({ body, status, problem }) => {
    const collector = await startCollector(await testNetwork());
    const response = await collector.post(body);
    expect(response).toMatchObject({ status, body: { error: expect.stringMatching(problem) } });
    expect(inDatabase(collector.database, (database) => database.counts().messages)).toBe(0);
  });

  it("is refused if it is larger than any push may be, or compressed", async () => {
    const collector = await startCollector(await testNetwork());
    const url = `${collector.url}/partition-gossip`;
    const large = await fetch(url, { method: "POST", body: Buffer.alloc(17 * 1024 * 1024, " ") }).catch(
      () => undefined,
    );
    // A client that is still sending may see the connection end instead.
    if (large !== undefined) expect(large.status).toBe(413);
    const headers = { "content-encoding": "gzip" };
    expect((await fetch(url, { method: "POST", headers, body: "x" })).status).toBe(415);
    expect(await collector.post(voteOf(0, 20))).toMatchObject({ status: 202 });
  });
});

describe("a sender that contradicts itself", () => {
  it("has both messages kept as evidence, the first one counted, and a third one refused", async () => {
    const collector = await startCollector(await testNetwork());
    const [first, second, third] = [voteOf(1, 20), voteOf(1, 20, { 0: lie }), voteOf(1, 20, { 1: lie })];
    expect(await collector.post(first)).toMatchObject({ status: 202 });
    expect(await collector.post(second)).toMatchObject({ status: 202 });
    expect(await collector.post(third)).toMatchObject({ status: 409 });
    for (const kept of [first, second]) expect(await collector.post(kept)).toMatchObject({ status: 200 });
    await collector.post(voteOf(0, 20));
    const { messages, offences, hashes } = inDatabase(collector.database, (database) => ({
      messages: [...database.messagesOf(asCycle(20))],
      offences: database.offences(),
      hashes: database.partitionHashes(asCycle(20)),
    }));
    expect(
      messages.filter(({ sender }) => sender === idOf(1)).map(({ isContradicting }) => isContradicting),
    ).toEqual([false, true]);
    expect(offences).toMatchObject([
      { node: idOf(1), kind: "equivocation", cycle: 20, evidence: { messages: [first, second] } },
    ]);
    for (const message of offences[0]?.evidence?.messages ?? []) expect(isSignedBy(message)).toBe(true);
    expect(hashes.get(asPartition(0))).toBe(trueHash(0));
    expect(collector.events.filter(({ type }) => type === "offence")).toHaveLength(1);
  });
});

describe("a vote against an agreed hash", () => {
  it.each([
    { id: "before the others", order: [3, 0, 1, 2, 4] },
    { id: "after the others", order: [0, 1, 2, 4, 3] },
  ])("is an offence with its message as evidence, if it arrives $id", async ({ order }) => {
    const collector = await startCollector(await testNetwork());
    const dissenting = voteOf(3, 20, { 2: lie, 4: lie });
    for (const index of order) await collector.post(index === 3 ? dissenting : voteOf(index, 20));
    await collector.until("agreed");
    await collector.until("offence");
    const offences = inDatabase(collector.database, (database) => database.offences());
    expect(offences).toMatchObject([
      {
        node: idOf(3),
        kind: "dissenting-vote",
        cycle: 20,
        partition: 2,
        evidence: { messages: [dissenting] },
      },
    ]);
    expect(offences[0]?.detail).toBe(
      `voted for ${lie}; the agreed hash is ${trueHash(2)}; it dissents on 1 more partition`,
    );
  });
});

describe("under a flood from the same address", () => {
  it("every valid message is stored, and invalid ones are refused", async () => {
    const collector = await startCollector(await testNetwork());
    const bad = [
      { ...good, cycle: 99 },
      { ...good, sender: lie },
      { ...good, more: 1 },
      forgedVote(4, 19),
      "text",
    ];
    const flood = Array.from({ length: 32 }, async (_, client) => {
      const statuses = new Set<number>();
      for (let sent = 0; sent < 60; sent++)
        statuses.add((await collector.post(bad[(client + sent) % bad.length] ?? "")).status);
      return statuses;
    });
    const valid = [14, 15, 16, 17, 18, 19, 20]
      .flatMap(votesOf)
      .map(async (message) => (await collector.post(message)).status);
    expect(new Set(await Promise.all(valid))).toEqual(new Set([202]));
    const statuses = new Set((await Promise.all(flood)).flatMap((seen) => [...seen]));
    // A known message has status 200, even with another signature.
    expect([200, 400, 403]).toEqual(expect.arrayContaining([...statuses]));
    const counts = inDatabase(collector.database, (database) => database.counts());
    expect(counts).toMatchObject({ messages: 35, agreedCycles: 7 });
    const { stored, known, refused } = (await collector.stop()).pushed;
    expect({ stored, bad: known + refused }).toEqual({ stored: 35, bad: 32 * 60 });
  });
});
