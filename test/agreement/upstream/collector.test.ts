import { describe, expect, it } from "vitest";
import { type AllHashes, Collector } from "../../../src/agreement/upstream/collector.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { parseGossipMessage } from "../../../src/wire/gossip-message.ts";
import { readVectors } from "../../helpers/vectors.ts";

interface CollectorCase {
  scenario: string;
  cycle: number;
  numNodes: number;
  nodesPerConsensusGroup: number;
  nodesPerEdge: number;
  nodeIds: string[];
  messages: object[];
  partitionHashes: Record<string, string> | null;
  networkHash: string | null;
}

describe("Collector", () => {
  const { cases, hashKey } = readVectors<{ hashKey: string; cases: CollectorCase[] }>("collector");
  it.each(cases.map((vector, id) => ({ id, ...vector })))(
    "emits the hashes that the network agrees on: $scenario ($id)",
    (vector) => {
      const shard = { ...makeShard(vector), cycleNumber: vector.cycle, nodeIds: vector.nodeIds };
      const collector = new Collector(shard, hashKey);
      let emitted: AllHashes | undefined;
      collector.on("gotAllHashes", (hashes) => {
        expect(emitted).toBeUndefined();
        emitted = hashes;
      });
      collector.process(vector.messages.map((message) => parseGossipMessage(message, "vector")));
      if (vector.partitionHashes === null) {
        expect(emitted).toBeUndefined();
        return;
      }
      const expected = Object.entries(vector.partitionHashes).map(
        ([key, hash]) => [Number(key), hash] as const,
      );
      expect(emitted?.partitionHashes).toEqual(new Map(expected));
      expect(emitted?.networkHash).toBe(vector.networkHash);
    },
  );
});
