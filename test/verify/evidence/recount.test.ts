import { describe, expect, it } from "vitest";
import type { Quorum } from "../../../src/agreement/vote-tally.ts";
import { exportDataText } from "../../../src/format/export-data.ts";
import { asPartition } from "../../../src/protocol/brands.ts";
import type { ActiveNode } from "../../../src/protocol/node.ts";
import { recountVotes } from "../../../src/verify/evidence/recount.ts";
import type { AuditedSharding } from "../../../src/verify/evidence/sharding.ts";
import { nodes } from "../../agreement/test-votes.ts";
import { auditOf, exportData, findingsOf, hashes, type SnapshotParts, voteOf } from "../written-snapshot.ts";

const told: AuditedSharding = {
  settings: { nodesPerConsensusGroup: 3, nodesPerEdge: 0 },
  claim: { claim: "sharding", basis: "told", detail: "told" },
  isRecorded: false,
};

interface Counted {
  readonly changes?: Partial<SnapshotParts>;
  readonly list?: readonly ActiveNode[] | undefined;
  readonly sharding?: Partial<AuditedSharding>;
  readonly quorum?: Quorum;
  readonly isListTrusted?: boolean;
}

async function recount(counted: Counted = {}) {
  const { changes = {}, sharding = {}, quorum = "majority", isListTrusted = false } = counted;
  const list = "list" in counted ? counted.list : nodes;
  const audit = await auditOf(changes);
  const result = await recountVotes(audit, list, { ...told, ...sharding }, quorum, isListTrusted);
  return { ...result, findings: findingsOf(audit), notes: audit.notes };
}

const lie = "f".repeat(64);
const all = [0, 1, 2, 3, 4];
/** Two of the three nodes that cover partition 2 vote for another hash. */
const minority = {
  gossip: all.map((index) => (index === 1 || index === 3 ? voteOf(index, { 2: lie }) : voteOf(index))),
};

describe("a recount of the votes", () => {
  it("has the votes of the covering nodes for each partition", async () => {
    const { votes, findings, notes } = await recount();
    expect(votes).toEqual(
      [-1, ...all].map((partition) => {
        const outOf = partition === -1 ? 5 : 3;
        return { partition, votesFor: outOf, votesAgainst: 0, outOf };
      }),
    );
    expect([findings, notes]).toEqual([[], []]);
  });

  it("has a finding for a hash without a majority", async () => {
    const { findings } = await recount({ changes: minority });
    expect(findings).toEqual([
      "no-agreement evidence/gossip.jsonl: partition 2 has 1 vote for its hash and 2 against, of 3",
    ]);
  });

  it.each(["other", "none", "", "f".repeat(63)])(
    "counts every vote against %j, which is not a hash",
    async (text) => {
      const hash = hashes.get(asPartition(2)) ?? "";
      const changes = { exportData: exportDataText(exportData).replace(hash, text) };
      const { votes } = await recount({ changes });
      const against = { partition: 2, votesFor: 0, votesAgainst: 3, outOf: 3 };
      expect(votes.find(({ partition }) => partition === 2)).toEqual(against);
    },
  );

  it("counts nothing without nodes, or with another number of nodes than partitions", async () => {
    expect(await recount({ list: undefined })).toMatchObject({
      votes: [],
      sharding: told.claim,
      findings: [],
    });
    const { votes, findings } = await recount({ list: nodes.slice(1) });
    expect(votes).toEqual([]);
    expect(findings).toEqual([
      "node-list evidence/node-list.json: the list has 4 nodes with an ID, for 5 partitions",
    ]);
  });

  it("has no votes for each partition if the settings are unknown", async () => {
    expect(await recount({ sharding: { settings: undefined } })).toMatchObject({ votes: [], findings: [] });
  });

  it("counts all nodes if the group is larger than the network", async () => {
    const { votes } = await recount({
      sharding: { settings: { nodesPerConsensusGroup: 1_000_000, nodesPerEdge: undefined } },
    });
    expect(votes.map(({ outOf }) => outOf)).toEqual([5, 5, 5, 5, 5, 5]);
  });
});

describe("the popular rule", () => {
  it("accepts the most popular hash of at least half of the nodes, with a note", async () => {
    const gossip = [0, 1, 2].map((index) => voteOf(index));
    const { votes, findings, notes } = await recount({ changes: { gossip }, quorum: "popular" });
    expect(votes.find(({ partition }) => partition === -1)).toMatchObject({ votesFor: 3, outOf: 5 });
    expect(findings).toEqual(
      [3, 4].map(
        (partition) =>
          `no-agreement evidence/gossip.jsonl: partition ${partition} has 1 vote for its hash and 0 against, of 3`,
      ),
    );
    expect(notes).toEqual([expect.stringContaining("counted by the upstream's rule")]);
  });

  it("has a finding if another hash is more popular", async () => {
    const { findings } = await recount({ changes: minority, quorum: "popular" });
    expect(findings).toEqual([expect.stringContaining("partition 2 has 1 vote for its hash and 2 against")]);
  });

  it("never proves the settings", async () => {
    const { sharding } = await recount({ quorum: "popular", isListTrusted: true });
    expect(sharding).toBe(told.claim);
  });
});

describe("the signed messages", () => {
  const wide = { settings: { nodesPerConsensusGroup: 3, nodesPerEdge: 1 } };

  it("have a finding if most list other partitions than the settings let their senders store", async () => {
    const { findings } = await recount({ sharding: wide });
    expect(findings).toEqual([
      "sharding evidence/gossip.jsonl: 5 of 5 signed messages list other partitions than their senders store under these settings",
    ]);
  });

  it("are only noted if the settings are recorded", async () => {
    const { findings, notes } = await recount({ sharding: { ...wide, isRecorded: true } });
    expect(findings).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("5 of 5 signed messages list other partitions")]);
  });

  it("prove told settings with a trusted list if every hash has a majority at any group size", async () => {
    const { sharding } = await recount({ isListTrusted: true });
    expect(sharding).toEqual({
      claim: "sharding",
      basis: "proved",
      detail: "every hash has a majority at any group size up to 3, and the nodes store no more",
    });
    expect((await recount({ isListTrusted: false })).sharding).toBe(told.claim);
  });

  it("prove nothing if a hash has no majority at some group size", async () => {
    // Of the group of one node, the only vote on partition 2 is another.
    const gossip = all.map((index) => (index === 2 ? voteOf(2, { 2: lie }) : voteOf(index)));
    const { sharding, notes, findings } = await recount({ changes: { gossip }, isListTrusted: true });
    expect(sharding).toBe(told.claim);
    expect(findings).toEqual([]);
    expect(notes).toEqual(["1 partition has no majority for some group sizes, the first is 2"]);
  });

  it("prove nothing if too few of them show how far nodes store", async () => {
    const gossip = [0, 1].map((index) => voteOf(index));
    const { sharding } = await recount({ changes: { gossip }, isListTrusted: true });
    expect(sharding).toBe(told.claim);
  });

  it("with hashes of no partition do not change the result", async () => {
    const gossip = [voteOf(0, { 9: lie }), ...[1, 2, 3, 4].map((index) => voteOf(index))];
    expect((await recount({ changes: { gossip } })).votes[1]).toMatchObject({ votesFor: 3 });
  });
});
