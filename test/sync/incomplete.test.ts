import { describe, expect, it } from "vitest";
import { asMirrorUrl, asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import { incompleteError } from "../../src/sync/incomplete.ts";
import type { ExclusionReason, PeerPool } from "../../src/sync/peers/peer-pool.ts";
import { asPartitions } from "../helpers/brands.ts";
import { allStoreAll, eachStoresOne, peerPool } from "./scheduler-driver.ts";

function fail(pool: PeerPool, peer: number, status?: number): void {
  pool.begin(asNodeIndex(peer));
  pool.fail(asNodeIndex(peer), { message: `status ${status}`, status, isCounted: true }, { retry: false }, 0);
}

function exclude(pool: PeerPool, peer: number, reason: ExclusionReason): void {
  pool.exclude(asNodeIndex(peer), asPartition(1), { reason, detail: `is ${reason}` });
}

interface Case {
  readonly id: string;
  readonly happens: (pool: PeerPool) => void;
  readonly code: string;
  readonly isHeldByNobody: boolean;
}

const cases: readonly Case[] = [
  {
    id: "a partition that every node gives wrongly fails verification",
    happens: (pool) => {
      for (const peer of [0, 1, 2]) exclude(pool, peer, "wrong");
    },
    code: "verification",
    isHeldByNobody: false,
  },
  {
    id: "a partition that one node gives wrongly and another does not hold is incomplete",
    happens: (pool) => {
      exclude(pool, 0, "wrong");
      for (const peer of [1, 2]) fail(pool, peer, 404);
    },
    code: "incomplete",
    isHeldByNobody: false,
  },
  {
    id: "a snapshot that every node still exports is temporary",
    happens: (pool) => {
      for (const peer of [0, 1, 2]) fail(pool, peer, 425);
    },
    code: "temporary",
    isHeldByNobody: true,
  },
  {
    id: "a snapshot that no node holds is gone",
    happens: (pool) => {
      for (const peer of [0, 1, 2]) fail(pool, peer, 404);
    },
    code: "gone",
    isHeldByNobody: true,
  },
  {
    id: "a snapshot of which nodes gave something is not gone",
    happens: (pool) => {
      for (const peer of [0, 1, 2]) fail(pool, peer, 404);
      pool.succeed(asNodeIndex(0));
    },
    code: "incomplete",
    isHeldByNobody: true,
  },
  {
    id: "a snapshot that the nodes that respond do not hold may be older",
    happens: (pool) => {
      fail(pool, 0, 404);
      for (const peer of [1, 2]) fail(pool, peer, 503);
    },
    code: "incomplete",
    isHeldByNobody: true,
  },
  {
    id: "nodes that do not respond leave a run incomplete",
    happens: (pool) => {
      for (const peer of [0, 1, 2]) fail(pool, peer);
    },
    code: "incomplete",
    isHeldByNobody: false,
  },
  {
    id: "a partition that the disk had no space for is a matter of the disk",
    happens: (pool) => {
      exclude(pool, 0, "no-space");
      exclude(pool, 1, "wrong");
    },
    code: "disk",
    isHeldByNobody: false,
  },
];

describe("the error of an incomplete run", () => {
  it.each(cases)("$id", ({ happens, code, isHeldByNobody }) => {
    const pool = peerPool(allStoreAll);
    happens(pool);
    expect(incompleteError(new Set(asPartitions([1])), pool)).toMatchObject({ code, isHeldByNobody });
  });

  it("has a reason for each node of the first partitions, and counts the others", () => {
    const pool = peerPool(eachStoresOne);
    exclude(pool, 1, "broken");
    fail(pool, 0, 503);
    const error = incompleteError(new Set(asPartitions([3, 1, 2, 0])), pool);
    expect(error.message).toMatch("4 missing");
    expect(error.details.map((detail) => detail.trim().replace(/^\S+ \S+: /, ""))).toEqual([
      "partition 0:",
      "status 503",
      "partition 1:",
      "is broken",
      "partition 2:",
      "was not requested",
      "and 1 more partition",
    ]);
  });

  it.each([
    { id: "has no such snapshot", status: 404, code: "gone" },
    { id: "has false accounts", status: undefined, isWrong: true, code: "gone" },
    { id: "fails otherwise", status: 503, code: "incomplete" },
  ])("is $code if no node holds the snapshot and the mirror $id, and names the mirror", (one) => {
    const pool = peerPool(allStoreAll, undefined, [asMirrorUrl("http://mirror")]);
    for (const node of [0, 1, 2]) fail(pool, node, 404);
    if (one.isWrong === true) exclude(pool, 3, "wrong");
    else fail(pool, 3, one.status ?? 404);
    const error = incompleteError(new Set(asPartitions([1])), pool);
    expect(error.code).toBe(one.code);
    expect(error.isHeldByNobody).toBe(true);
    expect(error.details.at(-1)).toMatch(/^ {2}the mirror http:\/\/mirror: /);
  });
});
