import fc from "fast-check";
import { expect, it } from "vitest";
import { allPartitions, coveringNodes, GLOBAL_PARTITION, makeShard } from "../../../src/protocol/shard.ts";
import { VoteCount } from "../../../src/verify/evidence/vote-count.ts";
import { seeded } from "../../helpers/seeded.ts";

/** A network of some nodes, and what each of them votes on each partition, if it does. */
const networks = fc.integer({ min: 1, max: 12 }).chain((numNodes) =>
  fc.record({
    numNodes: fc.constant(numNodes),
    votes: fc.array(
      fc.array(fc.constantFrom("yes", "no", undefined), { minLength: numNodes + 1, maxLength: numNodes + 1 }),
      { minLength: numNodes, maxLength: numNodes },
    ),
  }),
);

it("votes are counted as the covering nodes cast them, at every radius", () => {
  const property = fc.property(networks, ({ numNodes, votes }) => {
    const count = new VoteCount(numNodes, () => "yes");
    const of = (node: number, partition: number) => votes[node]?.[partition + 1];
    for (let node = 0; node < numNodes; node++) {
      for (let partition = GLOBAL_PARTITION; partition < numNodes; partition++) {
        const vote = of(node, partition);
        if (vote !== undefined) count.add(node, partition, vote);
      }
    }
    const radiusMax = Math.floor(numNodes / 2);
    const uncarried = new Map<number, number>();
    for (let radius = 0; radius <= radiusMax; radius++) {
      const shard = makeShard({ numNodes, nodesPerConsensusGroup: 2 * radius + 1 });
      for (const partition of allPartitions(shard)) {
        const covering = coveringNodes(shard, partition);
        const votesFor = covering.filter((node) => of(node, partition) === "yes").length;
        const votesAgainst = covering.filter((node) => of(node, partition) === "no").length;
        const outOf = covering.length;
        expect(count.of(partition, radius)).toEqual({ votesFor, votesAgainst, outOf });
        if (votesFor * 2 <= outOf && !uncarried.has(partition)) uncarried.set(partition, radius);
      }
    }
    for (const partition of allPartitions(makeShard({ numNodes }))) {
      expect(count.firstWithoutMajority(partition, radiusMax)).toBe(uncarried.get(partition));
    }
  });
  fc.assert(property, seeded(200));
});

it("a vote on what is no partition does not count", () => {
  const count = new VoteCount(3, () => "yes");
  count.add(0, 3, "yes");
  count.add(0, -2, "yes");
  expect(
    allPartitions(makeShard({ numNodes: 3 })).map((partition) => count.of(partition, 1).votesFor),
  ).toEqual([0, 0, 0, 0]);
});
