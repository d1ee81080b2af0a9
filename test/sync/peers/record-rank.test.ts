import { describe, expect, it } from "vitest";
import { asNodeIndex } from "../../../src/protocol/brands.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { PeerPool } from "../../../src/sync/peers/peer-pool.ts";
import { recordRank } from "../../../src/sync/peers/record-rank.ts";
import { asNodeIndexes, idNamed } from "../../helpers/brands.ts";

describe("a node's record", () => {
  it.each([
    { id: "clean", kinds: [], rank: 0 },
    { id: "of a tired node", kinds: ["stalled-answer", "truncated-answer"], rank: 1 },
    { id: "of a liar", kinds: ["stalled-answer", "contradicts-own-vote"], rank: 2 },
  ] as const)("$id counts for $rank failures", ({ kinds, rank }) => {
    expect(recordRank(kinds)).toBe(rank);
  });
});

describe("the order of nodes", () => {
  const nodes = ["a", "b", "c", "d"].map((name) => ({
    id: idNamed(name),
    url: `http://${name}`,
    publicKey: undefined,
  }));
  const shard = makeShard({ numNodes: 4 });

  it("has those with a bad record later, and still all of them", () => {
    const pool = new PeerPool(
      nodes,
      shard,
      asNodeIndexes([3, 0, 2, 1]),
      new Map([
        [idNamed("d"), 2],
        [idNamed("a"), 1],
      ]),
    );
    expect(pool.availableGroups(0)).toEqual([[2, 1], [0], [3]]);
  });

  it("weighs what fails in this run against the record", () => {
    const pool = new PeerPool(nodes, shard, asNodeIndexes([0, 1, 2, 3]), new Map([[idNamed("a"), 2]]));
    const decision = { retry: true, delayMs: 0 } as const;
    for (let failure = 0; failure < 3; failure++) {
      pool.begin(asNodeIndex(1));
      pool.fail(asNodeIndex(1), { message: "reset", status: undefined, isCounted: true }, decision, 0);
    }
    expect(pool.availableGroups(1)).toEqual([[2, 3], [0], [1]]);
  });
});
