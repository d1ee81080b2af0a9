import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asNodeIndex, asPartition, type Partition } from "../../../src/protocol/brands.ts";
import { queryOrder } from "../../../src/protocol/query-order.ts";
import {
  allNodes,
  allPartitions,
  GLOBAL_PARTITION,
  makeShard,
  type Shard,
  storedPartitions,
  stores,
} from "../../../src/protocol/shard.ts";
import { narrowedRequests } from "../../../src/sync/queries/narrowed-requests.ts";
import { planQueries } from "../../../src/sync/strategy/algorithm-1.ts";
import { type CoverTask, coverQueries } from "../../../src/sync/strategy/cover-queries.ts";
import { asNodeIndexes, asPartitions } from "../../helpers/brands.ts";
import { seeded } from "../../helpers/seeded.ts";

/** Nine nodes, each of which stores five partitions: `index ± 2`. */
const nine = makeShard({ numNodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });

function requestsOf({ shard, isEmpty }: CoverTask, queries: ReturnType<typeof coverQueries>) {
  return queries.flatMap(({ nodeIndex, partitions }) =>
    narrowedRequests({ shard, timestamp: 0, isEmpty }, nodeIndex, partitions),
  );
}

function covering(shard: Shard, changes: Partial<CoverTask> = {}): CoverTask {
  const groups = [allNodes(shard)];
  return { shard, groups, needed: new Set(allPartitions(shard)), ...changes };
}

/** What nodes send that know no ranges, in partitions that have accounts. */
function sent(shard: Shard, nodes: readonly number[], isEmpty: (partition: number) => boolean): number {
  return nodes.flatMap((node) => storedPartitions(shard, asNodeIndex(node))).filter((p) => !isEmpty(p))
    .length;
}

/** By trying all choices among the nodes: the fewest that give all that can be given, and the least sent. */
function best(
  shard: Shard,
  nodes: readonly number[],
  needed: ReadonlySet<number>,
  isEmpty: (p: number) => boolean,
) {
  const all = [...needed].filter(
    (p) => p >= 0 && nodes.some((node) => stores(shard, asNodeIndex(node), asPartition(p))),
  );
  let found = { count: Number.POSITIVE_INFINITY, sent: Number.POSITIVE_INFINITY };
  for (let choice = 0; choice < 1 << nodes.length; choice++) {
    const chosen = nodes.filter((_, index) => choice & (1 << index));
    if (
      chosen.length > found.count ||
      !all.every((p) => chosen.some((node) => stores(shard, asNodeIndex(node), asPartition(p))))
    )
      continue;
    const bytes = sent(shard, chosen, isEmpty);
    if (chosen.length < found.count || bytes < found.sent) found = { count: chosen.length, sent: bytes };
  }
  return found;
}

describe("the cover of a network", () => {
  it("asks nine nodes of five partitions for everything in two requests, one of them for all that a node has", () => {
    const task = covering(nine);
    const queries = coverQueries(task);
    expect(queries).toHaveLength(2);
    expect(requestsOf(task, queries)[0]?.request).toEqual({ timestamp: 0 });
    expect(requestsOf(task, queries)).toHaveLength(2);
  });

  it("takes as many requests as the division says, for everything, each partition once", () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 21 }),
      fc.integer({ min: 0, max: 9 }),
      (numNodes, nodesPerConsensusGroup, nodesPerEdge) => {
        const task = covering(makeShard({ numNodes, nodesPerConsensusGroup, nodesPerEdge }));
        const requests = requestsOf(task, coverQueries(task));
        const stored = storedPartitions(task.shard, asNodeIndex(0)).length;
        expect(requests).toHaveLength(Math.ceil(numNodes / stored));
        const given = requests.flatMap(({ partitions }) => partitions).sort((a, b) => a - b);
        expect(given).toEqual(allPartitions(task.shard));
      },
    );
    fc.assert(property, seeded(300));
  });

  const network = fc.integer({ min: 1, max: 11 }).chain((numNodes) =>
    fc.record({
      numNodes: fc.constant(numNodes),
      nodesPerConsensusGroup: fc.integer({ min: 1, max: 5 }),
      nodesPerEdge: fc.integer({ min: 0, max: 2 }),
      isAway: fc.array(fc.boolean(), { minLength: numNodes, maxLength: numNodes }),
      kinds: fc.array(fc.constantFrom("needed", "needed", "had", "empty"), {
        minLength: numNodes,
        maxLength: numNodes,
      }),
    }),
  );

  it("asks the fewest of those who are there, and of so few those who store the least, as all choices show", () => {
    const property = fc.property(network, ({ isAway, kinds, ...settings }) => {
      const shard = makeShard(settings);
      const nodes = isAway.flatMap((away, index) => (away ? [] : [index]));
      const needed = new Set(
        asPartitions(kinds.flatMap((kind, partition) => (kind === "needed" ? [partition] : []))),
      );
      const isEmpty = (partition: number) => kinds[partition] === "empty";
      const queries = coverQueries({
        shard,
        groups: [asNodeIndexes(nodes)],
        needed,
        isEmpty,
      });
      const asked = queries.map(({ nodeIndex }) => nodeIndex);
      for (const { nodeIndex, partitions } of queries) {
        for (const partition of partitions) expect(stores(shard, nodeIndex, partition)).toBe(true);
      }
      const coverable = [...needed].filter((p) =>
        nodes.some((node) => stores(shard, asNodeIndex(node), asPartition(p))),
      );
      expect(queries.flatMap(({ partitions }) => partitions).sort((a, b) => a - b)).toEqual(coverable);
      expect({ count: new Set(asked).size, sent: sent(shard, asked, isEmpty) }).toEqual(
        best(shard, nodes, needed, isEmpty),
      );
    });
    fc.assert(property, seeded(1000));
  });

  it("takes one request of each where everything is needed, whoever is away", () => {
    const property = fc.property(network, ({ isAway, kinds: _kinds, ...settings }) => {
      const shard = makeShard(settings);
      const nodes = isAway.flatMap((away, index) => (away ? [] : [index]));
      const needed = allPartitions(shard).filter((p) =>
        nodes.some((node) => stores(shard, asNodeIndex(node), p)),
      );
      if (needed.length < shard.numNodes + 1) return;
      const task = covering(shard, { groups: [asNodeIndexes(nodes)] });
      const queries = coverQueries(task);
      expect(requestsOf(task, queries)).toHaveLength(queries.length);
    });
    fc.assert(property, seeded(1000));
  });

  it("asks a later group only for what no earlier one can give", () => {
    const queries = coverQueries(
      covering(nine, {
        groups: [
          [asNodeIndex(0), asNodeIndex(1), asNodeIndex(2)],
          [asNodeIndex(3), asNodeIndex(4), asNodeIndex(5), asNodeIndex(6), asNodeIndex(7), asNodeIndex(8)],
        ],
      }),
    );
    const given = (from: number, to: number) =>
      queries
        .filter(({ nodeIndex }) => nodeIndex >= from && nodeIndex <= to)
        .flatMap(({ partitions }) => partitions);
    expect(given(0, 2).sort((a, b) => a - b)).toEqual([-1, 0, 1, 2, 3, 4, 7, 8]);
    expect(given(3, 8).sort((a, b) => a - b)).toEqual([5, 6]);
  });

  it("asks no node for what it is not to be asked for", () => {
    const property = fc.property(
      network,
      fc.infiniteStream(fc.nat(9)),
      ({ isAway, kinds: _kinds, ...settings }, dice) => {
        const shard = makeShard(settings);
        const nodes = isAway.flatMap((away, index) => (away ? [] : [index]));
        const refusals = nodes.map((node) => [
          node,
          [GLOBAL_PARTITION, ...storedPartitions(shard, asNodeIndex(node))].filter(
            () => dice.next().value === 0,
          ),
        ]) as [number, Partition[]][];
        const refused = new Map(refusals);
        const mayGive = (node: number, p: number) =>
          stores(shard, asNodeIndex(node), asPartition(p)) && !refused.get(node)?.includes(asPartition(p));
        const needed = new Set(allPartitions(shard));
        const queries = coverQueries({
          shard,
          groups: [asNodeIndexes(nodes)],
          needed,
          excludedOf: (node) => refused.get(node) ?? [],
        });
        for (const { nodeIndex, partitions } of queries) {
          for (const partition of partitions) expect(mayGive(nodeIndex, partition)).toBe(true);
        }
        const coverable = [...needed].filter((p) => nodes.some((node) => mayGive(node, p)));
        expect(queries.flatMap(({ partitions }) => partitions).sort((a, b) => a - b)).toEqual(coverable);
      },
    );
    fc.assert(property, seeded(1000));
  });

  it("is never of more nodes than Algorithm 1 asks", () => {
    for (let numNodes = 1; numNodes <= 60; numNodes++) {
      const shard = makeShard({ numNodes, nodesPerConsensusGroup: 5, nodesPerEdge: 2 });
      expect(coverQueries(covering(shard)).length).toBeLessThanOrEqual(
        planQueries(shard, queryOrder(numNodes), new Set(allPartitions(shard))).length,
      );
    }
  });
});
