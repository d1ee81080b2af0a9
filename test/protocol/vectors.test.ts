import { describe, expect, it } from "vitest";
import type { WrappedData } from "../../src/protocol/account-copy.ts";
import { asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import { canonicalText } from "../../src/protocol/crypto/canonical-text.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { isSignedBy } from "../../src/protocol/crypto/signature.ts";
import { cycleMarker } from "../../src/protocol/cycle-record.ts";
import { networkHash, partitionHashes, partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { queryOrder } from "../../src/protocol/query-order.ts";
import {
  coveringNodes,
  makeShard,
  partitionOf,
  partitionRange,
  type ShardSettings,
  storedPartitions,
} from "../../src/protocol/shard.ts";
import { asHashes } from "../helpers/brands.ts";
import { readVectors } from "../helpers/vectors.ts";

type Hashes = Record<string, string>;
const toMap = (hashes: Hashes) => new Map(Object.entries(hashes).map(([key, hash]) => [Number(key), hash]));

describe("the vectors of the network's own code", () => {
  const canonical = readVectors<{
    hashKey: string;
    cases: { name: string; wire: string; canonical: string; hash: string }[];
  }>("canonical");
  it.each(canonical.cases)("contain canonical text and hash: $name", ({ wire, canonical: text, hash }) => {
    expect(canonicalText(wire)).toBe(text);
    expect(hashText(text, canonical.hashKey)).toBe(hash);
  });

  const signed = readVectors<{
    hashKey: string;
    cases: { tamper: string; signed: unknown; valid: boolean }[];
  }>("signed");
  it.each(signed.cases.map((vector, id) => ({ id, ...vector })))(
    "contain signature $id, tampered: $tamper",
    ({ signed: object, valid }) => {
      expect(isSignedBy(object, signed.hashKey)).toBe(valid);
    },
  );

  interface GeometryCase {
    numNodes: number;
    nodesPerConsensusGroup: number;
    nodesPerEdge: number | null;
    numPartitions: number;
    consensusRadius: number;
    effectiveNodesPerEdge: number;
    partitions: {
      partition: number;
      low: string;
      high: string;
      coveredByNodeIndexRuns: [number, number][];
    }[];
    nodes: { nodeIndex: number; storedPartitionRuns: [number, number][] }[];
    addresses: { address: string; partition: number }[];
  }
  const geometry = readVectors<{ cases: GeometryCase[] }>("geometry");
  it.each(geometry.cases)(
    "contain the geometry of $numNodes nodes in groups of $nodesPerConsensusGroup, edge $nodesPerEdge",
    (vector) => {
      const settings: ShardSettings = {
        numNodes: vector.numNodes,
        nodesPerConsensusGroup: vector.nodesPerConsensusGroup,
        ...(vector.nodesPerEdge === null ? {} : { nodesPerEdge: vector.nodesPerEdge }),
      };
      const shard = makeShard(settings);
      expect(shard.numNodes).toBe(vector.numPartitions);
      expect(shard.consensusRadius).toBe(vector.consensusRadius);
      expect(shard.storeRadius - shard.consensusRadius).toBe(vector.effectiveNodesPerEdge);
      for (const { partition, low, high, coveredByNodeIndexRuns } of vector.partitions) {
        expect(partitionRange(shard, asPartition(partition))).toEqual({ low, high });
        expect(coveringNodes(shard, asPartition(partition))).toEqual(expandRuns(coveredByNodeIndexRuns));
      }
      for (const { nodeIndex, storedPartitionRuns } of vector.nodes) {
        expect(storedPartitions(shard, asNodeIndex(nodeIndex))).toEqual(expandRuns(storedPartitionRuns));
      }
      for (const { address, partition } of vector.addresses) {
        expect(partitionOf(shard, address)).toBe(partition);
      }
    },
  );

  interface PartitionHashesCase {
    numPartitions: number;
    wrapped: WrappedData[];
    partitionHashes: Hashes;
    preimages: Hashes;
    networkHash: string;
  }
  const partitions = readVectors<{ hashKey: string; cases: PartitionHashesCase[] }>("partition-hashes");
  it.each(partitions.cases.map((vector, id) => ({ id, ...vector })))(
    "contain partition hashes $id of $numPartitions partitions",
    (vector) => {
      const shard = makeShard({ numNodes: vector.numPartitions });
      const hashes = partitionHashes(vector.wrapped, shard, partitions.hashKey);
      expect(partitionPreimages(vector.wrapped, shard)).toEqual(toMap(vector.preimages));
      expect(hashes).toEqual(toMap(vector.partitionHashes));
      expect(networkHash(hashes, partitions.hashKey)).toBe(vector.networkHash);
    },
  );

  const recorded =
    readVectors<Record<string, { partitionHashes: Hashes; networkHash: string }>>("recorded-network");
  it.each(["data", "receipt", "summary"])("contain the network hash of a recorded network: %s", (kind) => {
    const vector = recorded[kind];
    expect(networkHash(asHashes(toMap(vector?.partitionHashes ?? {})))).toBe(vector?.networkHash);
  });

  const cycles = readVectors<{ hashKey: string; cycles: Record<string, unknown>[] }>("cycles");
  it.each(cycles.cycles.map((record, id) => ({ id, record })))(
    "contain cycle marker $id",
    ({ id, record }) => {
      expect(cycleMarker(record, cycles.hashKey)).toBe(record["marker"]);
      expect(record["previous"]).toBe(cycles.cycles[id - 1]?.["marker"] ?? "0".repeat(64));
    },
  );

  const orders = readVectors<{ cases: { numNodes: number; order: number[] }[] }>("query-order");
  it.each(orders.cases)("contain the query order of $numNodes nodes", ({ numNodes, order }) => {
    expect(queryOrder(numNodes)).toEqual(order);
  });
});

function expandRuns(runs: readonly (readonly [number, number])[]): number[] {
  return runs.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}
