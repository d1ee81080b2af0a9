/** Gossip that relays change or invent, and messages that a liar signs. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import { asCycle, asHashHex, asNodeId, asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import { isSignedBy, signed } from "../../src/protocol/crypto/signature.ts";
import { queryOrder } from "../../src/protocol/query-order.ts";
import { storedPartitions } from "../../src/protocol/shard.ts";
import { HashDatabase } from "../../src/store/hash-database/hash-database.ts";
import { hashesOf, makeNetwork } from "../../src/testnet/cluster/network.ts";
import { makeVote } from "../../src/testnet/validator/gossip/vote.ts";
import { assembleFrom } from "../app/run.ts";
import { asHashes, keyNamed } from "../helpers/brands.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";
import { attack, by, dripping, type GossipAttack, passingOn } from "./attackers.ts";

const network = makeNetwork(smallFixture());
const hashes = await hashesOf(network);
const expected = await published(smallFixture());
const cycle = 8;
const everyNode = [0, 1, 2, 3, 4];

/** The validator that lies. */
const liar = network.identities[2] ?? expect.unreachable();
const idOf = (index: number) => network.identities[index]?.id ?? "";
const lies = new Map([...hashes.keys()].map((partition) => [partition, "ee".repeat(32)]));

const text = (value: object) => JSON.stringify(value);
const isOf = (id: string) => (message: string) => message.includes(`"sender":"${id}"`);
const deep = `${'{"a":'.repeat(600)}1${"}".repeat(600)}`;
const decorated = (message: string) =>
  message
    .replace("{", '{"constructor":{"x":1},"__proto__":{"cycle":1},')
    .replace('"partitionHash":{', '"partitionHash":{"constructor":"x","prototype":7,')
    .replace('"sign":{', '"sign":{"x":[1],');

/** A message that the liar signs, with additional content. */
function signedByLiar(extra: object): string {
  const { sign: _, ...vote } = makeVote(liar, asCycle(cycle), asHashes(lies));
  return text(signed({ ...vote, ...extra }, liar.privateKey));
}

/** Runs against a cluster with attackers, and expects that the true state is published. */
async function runUnder(attacks: ReadonlyMap<number, GossipAttack>, options: Partial<AssembleOptions> = {}) {
  return await withCluster({}, async (cluster) => {
    const attackers = await attack(cluster, attacks);
    const result = await assembleFrom(cluster, { ...attackers.options, ...options });
    expect(result).toMatchObject(expected);
    const { findings } = await verifySnapshot(result.directory);
    expect(findings).toEqual([]);
    const evidence = readFileSync(join(result.directory, "evidence", "gossip.jsonl"), "utf8");
    const offences = result.offences.map(({ node, kind, basis }) => ({ node, kind, basis }));
    return { offences, result, requests: attackers.requests, lines: evidence.trimEnd().split("\n") };
  });
}

describe("no node is blamed for", () => {
  it.each([
    { id: "keys that no signature covers", change: decorated },
    { id: "white space", change: (message: string) => message.replaceAll(":", ": \n") },
    {
      id: "other digits of the same signature",
      change: (message: string) =>
        message.replace(/"sig":"\w+"/, (sig) => sig.toUpperCase().replace("SIG", "sig")),
    },
  ])("$id that relays add to all messages", async ({ change }) => {
    const { offences, lines } = await runUnder(
      by(
        everyNode,
        passingOn((messages) => messages.map(change)),
      ),
    );
    expect(offences).toEqual([]);
    expect(lines).toHaveLength(5);
    for (const line of lines) {
      expect(line).not.toContain("constructor");
      expect(isSignedBy(JSON.parse(line))).toBe(true);
    }
  });

  it.each([
    { id: "content beyond the size bound", junk: "x".repeat(3_000_000) },
    { id: "content beyond the nesting bound", junk: "JUNK" },
  ])("$id, and clean copies count", async ({ junk }) => {
    const change = (message: string) =>
      message.replace("{", `{"constructor":${JSON.stringify(junk)},`).replace('"JUNK"', deep);
    const { offences } = await runUnder(
      by(
        [0, 4],
        passingOn((messages) => messages.map(change)),
      ),
    );
    expect(offences).toEqual([]);
  });

  it.each([
    {
      id: "one of which is nested 600 deep",
      extra: () => [signedByLiar({ extra: "JUNK" }).replace('"JUNK"', deep)],
    },
    { id: "one of 9 MB", extra: () => [signedByLiar({ filler: "x".repeat(9 << 20) })] },
  ])("a liar's messages that every node relays, $id", async ({ extra }) => {
    const more = extra();
    const { offences, requests } = await runUnder(
      by(
        everyNode,
        passingOn((messages) => [...more, ...messages]),
      ),
    );
    expect(offences).toEqual([]);
    expect(Math.max(...requests.values())).toBe(1);
  });

  it("messages of a node that has left, and of other cycles", async () => {
    const gone = { ...liar, id: asNodeId("ab".repeat(32)) };
    const more = [
      text(makeVote(gone, asCycle(cycle), asHashes(lies))),
      text(makeVote(liar, asCycle(cycle + 1), asHashes(lies))),
    ];
    const { offences } = await runUnder(
      by(
        everyNode,
        passingOn((messages) => [...more, ...messages]),
      ),
    );
    expect(offences).toEqual([]);
  });

  it("changed messages in a hash database or a file", async () => {
    await withCluster({}, async (cluster) => {
      const directory = temporaryDirectory();
      const hashDb = join(directory, "hashes.sqlite");
      const gossip = join(directory, "gossip.json");
      const votes = network.identities.map((identity, index) => {
        const stored = [-1, ...storedPartitions(network.shard, asNodeIndex(index))];
        return makeVote(
          identity,
          asCycle(cycle),
          asHashes(new Map(stored.map((of) => [of, hashes.get(asPartition(of)) ?? ""]))),
        );
      });
      const database = HashDatabase.open(hashDb);
      for (const { sender, sign, ...vote } of votes) {
        const changed = decorated(text({ ...vote, sender, sign }));
        database.saveMessages(
          [{ cycle: asCycle(cycle), sender, hash: asHashHex(sign.sig.slice(128)), text: changed }],
          1,
        );
      }
      database.close();
      writeFileSync(
        gossip,
        `{"messages":[${votes.map((vote) => text(vote).replace('"-1":"', '"-1":"0')).join()}]}`,
      );
      const result = await assembleFrom(cluster, { hashDb, gossip });
      expect(result).toMatchObject(expected);
      expect(result.offences).toEqual([]);
      expect(result.warnings).toEqual([expect.stringContaining("5 messages do not count")]);
    });
  });
});

describe("only the liar is blamed for", () => {
  it("two messages of which one is invalid if it is rewritten, and both are evidence", async () => {
    const sig = { type: "Buffer", data: [1, 2, 3] };
    const more = signedByLiar({ sig });
    const { offences, lines } = await runUnder(
      by(
        everyNode,
        passingOn((messages) => [more, ...messages]),
      ),
    );
    expect(new Set(offences.map(({ node }) => node))).toEqual(new Set([liar.id]));
    expect(offences).toContainEqual({ node: liar.id, kind: "equivocation", basis: "signed" });
    expect(lines.filter(isOf(liar.id))).toContain(more);
  });

  it("a thousand malformed messages that every node relays, and only once", async () => {
    const more = Array.from({ length: 1_001 }, (_, junk) => signedByLiar({ data: { junk } }));
    const { offences, requests } = await runUnder(
      by(
        everyNode,
        passingOn((messages) => [...more, ...messages]),
      ),
    );
    expect(offences).toEqual([{ node: liar.id, kind: "invalid-vote", basis: "signed" }]);
    expect(Math.max(...requests.values())).toBe(1);
  });

  it("a message that is longer than its partitions require", async () => {
    const more = signedByLiar({ filler: "x".repeat(40_000) });
    const { offences } = await runUnder(
      by(
        everyNode,
        passingOn((messages) => [more, ...messages]),
      ),
    );
    expect(offences).toEqual([{ node: liar.id, kind: "invalid-vote", basis: "signed" }]);
  });
});

describe("only the relay is blamed for", () => {
  it.each([
    {
      id: "a vote with one hash changed",
      forged: (messages: readonly string[]) =>
        messages.map((message) => message.replace('"0":"', '"0":"0').replace(/"0":"(\w{64})\w/, '"0":"$1')),
    },
    {
      id: "a vote that a stranger has signed",
      forged: () => [
        text(
          makeVote(
            {
              ...liar,
              id: asNodeId(idOf(1)),
              publicKey: keyNamed(""),
              privateKey: network.identities[3]?.privateKey ?? liar.privateKey,
            },
            asCycle(cycle),
            asHashes(lies),
          ),
        ).replace(/"owner":"\w{64}"/, `"owner":"${"cd".repeat(32)}"`),
      ],
    },
    { id: "a message that is not JSON", forged: () => ["{oops}"] },
    { id: "a message without a signature", forged: () => ["{}"] },
  ])("$id", async ({ forged }) => {
    const change = (messages: readonly string[]) => [...forged(messages), ...messages];
    const { offences, requests } = await runUnder(by([0], passingOn(change)));
    expect(offences).toEqual([{ node: idOf(0), kind: "invalid-gossip", basis: "observed" }]);
    expect(requests.get(0)).toBe(1);
  });

  it("a response that is not a list of messages", async () => {
    const { offences } = await runUnder(by([0], ({ response }) => response.end("<html>")));
    expect(offences).toEqual([{ node: idOf(0), kind: "invalid-gossip", basis: "observed" }]);
  });
});

describe("a run does not wait for", () => {
  const nodes = 15;
  const requestedFirst = queryOrder(nodes).slice(0, 8);

  it.each([
    { id: "if a majority is certain without them", quorum: "majority", faults: [] },
    { id: "if their own votes cannot change the result", quorum: "popular", faults: [] },
    { id: "if their own votes are missing", quorum: "popular", faults: ["0:silent", "7:silent"] },
  ] as const)(
    "the eight validators that are requested first and send slowly: $id",
    async ({ quorum, faults }) => {
      await withCluster({ nodes, faults }, async (cluster) => {
        const { options, requests } = await attack(cluster, by(requestedFirst, dripping));
        const result = await assembleFrom(cluster, { ...options, quorum, stallTimeoutMs: 30_000 });
        expect(result.networkHash).toBe(cluster.networkHash);
        expect(result.offences).toEqual([]);
        expect(requests.size).toBe(8);
      });
    },
  );
});
