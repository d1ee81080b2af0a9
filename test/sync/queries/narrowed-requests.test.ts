import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressAfter } from "../../../src/protocol/address.ts";
import { asNodeIndex, asPartition, type Partition } from "../../../src/protocol/brands.ts";
import {
  GLOBAL_PARTITION,
  makeShard,
  partitionRange,
  storedPartitions,
} from "../../../src/protocol/shard.ts";
import { mirrorRequest, narrowedRequests } from "../../../src/sync/queries/narrowed-requests.ts";
import type { Base } from "../../../src/sync/queries/partition-bases.ts";
import { asPartitions } from "../../helpers/brands.ts";
import { seeded } from "../../helpers/seeded.ts";

const timestamp = 1_700_000_640_000;
/** Nine nodes, each of which stores five partitions: node 0 those of 7, 8, 0, 1, 2. */
const shard = makeShard({ numNodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const low = (partition: number) => partitionRange(shard, asPartition(partition)).low;
const high = (partition: number) => partitionRange(shard, asPartition(partition)).high;
const range = (first: number, last: number) => ({
  timestamp,
  accountStart: low(first),
  accountEnd: high(last),
  isGlobal: false,
});

function older(changedSince: number): Base {
  const files = [{ path: "seed", compression: "none", low: low(0), high: high(8) }] as const;
  return { kind: "older", seed: "a seed", files, changedSince };
}

function beginning(lastId: string): Base {
  return { kind: "beginning", files: [], lastId, bytes: 1, peers: undefined };
}

function withoutBases(...of: Parameters<typeof narrowedRequests>) {
  return narrowedRequests(...of).map(({ request, partitions }) => ({ request, partitions }));
}

/** Requests to a node that knows ranges, of a run that has bases. */
function requestsTo(
  node: number,
  partitions: readonly number[],
  baseOf: (partition: Partition) => Base | undefined,
) {
  return narrowedRequests({ shard, timestamp, baseOf }, asNodeIndex(node), asPartitions(partitions));
}

describe("the requests to a node", () => {
  it.each([
    {
      id: "everything that it stores",
      node: 0,
      partitions: [-1, 0, 1, 2, 7, 8],
      requests: [{ request: { timestamp }, partitions: [-1, 0, 1, 2, 7, 8] }],
    },
    {
      id: "all but the global accounts",
      node: 0,
      partitions: [0, 1, 2, 7, 8],
      requests: [{ request: { timestamp, isGlobal: false }, partitions: [0, 1, 2, 7, 8] }],
    },
    {
      id: "the global accounts alone",
      node: 4,
      partitions: [-1],
      requests: [{ request: { timestamp, isGlobal: true }, partitions: [-1] }],
    },
    { id: "one partition", node: 4, partitions: [3], requests: [{ request: range(3, 3), partitions: [3] }] },
    {
      id: "neighbours, with the global accounts",
      node: 4,
      partitions: [-1, 4, 5, 6],
      requests: [
        { request: range(4, 6), partitions: [4, 5, 6] },
        { request: { timestamp, isGlobal: true }, partitions: [-1] },
      ],
    },
    {
      id: "partitions with another between them",
      node: 4,
      partitions: [2, 4, 5],
      requests: [
        { request: range(2, 2), partitions: [2] },
        { request: range(4, 5), partitions: [4, 5] },
      ],
    },
    {
      id: "neighbours over the end of the ring",
      node: 0,
      partitions: [0, 1, 7, 8],
      requests: [
        { request: range(0, 1), partitions: [0, 1] },
        { request: range(7, 8), partitions: [7, 8] },
      ],
    },
    { id: "nothing", node: 0, partitions: [], requests: [] },
  ])("for $id", ({ node, partitions, requests }) => {
    expect(withoutBases({ shard, timestamp }, asNodeIndex(node), asPartitions(partitions))).toEqual(requests);
  });

  it("go over partitions that are known to have no accounts, which cost nothing", () => {
    const isEmpty = (partition: number) => partition === 3;
    expect(withoutBases({ shard, timestamp, isEmpty }, asNodeIndex(4), asPartitions([2, 4, 5]))).toEqual([
      { request: range(2, 5), partitions: [2, 4, 5] },
    ]);
    expect(
      withoutBases({ shard, timestamp, isEmpty }, asNodeIndex(4), asPartitions([-1, 2, 4, 5, 6])),
    ).toEqual([{ request: { timestamp }, partitions: [-1, 2, 4, 5, 6] }]);
  });

  it("of a node that stores all ask for all at once", () => {
    const single = makeShard({ numNodes: 1 });
    expect(withoutBases({ shard: single, timestamp }, asNodeIndex(0), asPartitions([-1, 0]))).toEqual([
      { request: { timestamp }, partitions: [-1, 0] },
    ]);
  });

  it("ask for what has changed since the moment of a seed, and for the rest behind a beginning", () => {
    const bases = new Map<Partition, Base>([
      [asPartition(3), older(100)],
      [asPartition(4), older(200)],
      [asPartition(5), older(100)],
      [asPartition(6), beginning(`${low(6).slice(0, 63)}f`)],
    ]);
    const baseOf = (partition: Partition) => bases.get(partition);
    const requests = requestsTo(4, [2, 3, 4, 5, 6], baseOf);
    expect(requests.map(({ request, partitions }) => ({ request, partitions }))).toEqual([
      { request: range(2, 2), partitions: [2] },
      { request: { ...range(3, 3), changedSince: 100 }, partitions: [3] },
      { request: { ...range(5, 5), changedSince: 100 }, partitions: [5] },
      { request: { ...range(4, 4), changedSince: 200 }, partitions: [4] },
      {
        request: { ...range(6, 6), accountStart: addressAfter(`${low(6).slice(0, 63)}f`) },
        partitions: [6],
      },
    ]);
    for (const { partitions, bases: of } of requests)
      for (const partition of partitions) expect(of.get(partition)).toBe(bases.get(partition));
  });

  it("ask for the changes of everything with one request", () => {
    const [request, ...others] = requestsTo(0, [-1, 0, 1, 2, 7, 8], () => older(100));
    expect(request).toMatchObject({ request: { timestamp, changedSince: 100 } });
    expect(others).toEqual([]);
  });

  it("ask for the highest address where nothing is left behind a beginning", () => {
    const [request] = requestsTo(4, [4], () => beginning(high(4)));
    expect(request?.request).toMatchObject({ accountStart: high(4), accountEnd: high(4), isGlobal: false });
  });

  it("ask for the global accounts behind a beginning, and for no others", () => {
    const lastId = "8".repeat(64);
    const [request] = requestsTo(4, [-1], () => beginning(lastId));
    expect(request?.request).toEqual({
      timestamp,
      accountStart: `${"8".repeat(63)}9`,
      accountEnd: "f".repeat(64),
      isGlobal: true,
    });
  });

  it("ask for each partition once, and for the addresses of no other", () => {
    const settings = fc.record({
      numNodes: fc.integer({ min: 1, max: 40 }),
      nodesPerConsensusGroup: fc.integer({ min: 1, max: 9 }),
      nodesPerEdge: fc.integer({ min: 0, max: 5 }),
    });
    const property = fc.property(
      settings,
      fc.nat(),
      fc.infiniteStream(fc.boolean()),
      (of, seed, isWanted) => {
        const any = makeShard(of);
        const node = seed % of.numNodes;
        const stored = [GLOBAL_PARTITION, ...storedPartitions(any, asNodeIndex(node))];
        const wanted = stored.filter(() => isWanted.next().value);
        const requests = narrowedRequests({ shard: any, timestamp }, asNodeIndex(node), wanted);
        expect(requests.flatMap(({ partitions }) => partitions).sort((a, b) => a - b)).toEqual(wanted);
        for (const { request, partitions } of requests) {
          const { accountStart = "0", accountEnd = "g", isGlobal } = request;
          const answered = stored.filter((partition) => {
            if (partition === GLOBAL_PARTITION) return isGlobal !== false;
            const { low: first, high: last } = partitionRange(any, partition);
            return isGlobal !== true && accountStart <= last && first <= accountEnd;
          });
          expect(answered).toEqual(partitions);
        }
      },
    );
    fc.assert(property, seeded(500));
  });
});

describe("the request to a mirror", () => {
  const files = [{ path: "a", compression: "none", low: low(3), high: low(3) }] as const;
  const beginning = { kind: "beginning", files, lastId: low(3), bytes: 9, peers: undefined } as const;
  const older = { kind: "older", seed: "seed", files, changedSince: 1 } as const;

  it.each([
    { id: "one partition", partition: 3, base: undefined, request: range(3, 3), isBased: false },
    {
      id: "all of it beside a seed, which it cannot complete",
      partition: 3,
      base: older,
      request: range(3, 3),
      isBased: false,
    },
    {
      id: "what follows a beginning",
      partition: 3,
      base: beginning,
      request: { ...range(3, 3), accountStart: addressAfter(low(3)) },
      isBased: true,
    },
    {
      id: "the global accounts",
      partition: GLOBAL_PARTITION,
      base: undefined,
      request: { timestamp, accountStart: "0".repeat(64), accountEnd: "f".repeat(64), isGlobal: true },
      isBased: false,
    },
  ])("is for $id", ({ partition: number, base, request, isBased }) => {
    const partition = asPartition(number);
    const bases = new Map(isBased && base !== undefined ? [[partition, base]] : []);
    const sent = mirrorRequest({ shard, timestamp, baseOf: () => base }, partition);
    expect(sent).toEqual({ request, partitions: [partition], bases });
  });
});
