import { describe, expect, it } from "vitest";
import { gossipLineBytesMax } from "../../../src/format/evidence/gossip.ts";
import { makeVote } from "../../../src/testnet/validator/gossip/vote.ts";
import { countVotes } from "../../../src/verify/evidence/votes.ts";
import { nodes } from "../../agreement/test-votes.ts";
import { auditOf, cycle, findingsOf, hashes, identities, voteOf } from "../written-snapshot.ts";

async function count(gossip: readonly string[], popularRadius?: number) {
  const audit = await auditOf({ gossip });
  const counted = await countVotes(audit, nodes, popularRadius);
  return { ...counted, findings: findingsOf(audit), notes: audit.notes };
}

function messageOf(index: number, of: ReadonlyMap<number, string>, inCycle = cycle): string {
  const identity = identities[index];
  if (identity === undefined) throw new RangeError(`there is no node ${index}`);
  return JSON.stringify(makeVote(identity, inCycle, of));
}

const lie = "f".repeat(64);

describe("the votes of the evidence", () => {
  it("are counted by partition and radius", async () => {
    const { votes, messages, shownRadii, popular, findings } = await count([
      voteOf(0),
      voteOf(1, { 0: lie }),
    ]);
    expect(messages).toBe(2);
    expect(votes.of(0, 1)).toEqual({ votesFor: 1, votesAgainst: 1, outOf: 3 });
    expect(votes.of(0, 0)).toEqual({ votesFor: 1, votesAgainst: 0, outOf: 1 });
    expect([...shownRadii]).toEqual([[1, 2]]);
    expect(popular).toBeUndefined();
    expect(findings).toEqual([]);
  });

  it("have a finding for a duplicate, a forged message, one of another cycle, and text that is none", async () => {
    const forged = voteOf(1).replace(hashes.get(1) ?? "", lie);
    const late = messageOf(2, new Map([[2, hashes.get(2) ?? ""]]), cycle + 1);
    const { messages, findings } = await count([voteOf(0), voteOf(0), forged, late, "text"]);
    expect(messages).toBe(1);
    expect(findings.map((finding) => finding.split(": ").slice(0, 2).join(": "))).toEqual([
      "gossip evidence/gossip.jsonl: line 2",
      "gossip evidence/gossip.jsonl: line 3",
      "gossip evidence/gossip.jsonl: line 4",
      "gossip evidence/gossip.jsonl: line 5",
    ]);
    expect(findings[0]).toContain("is a duplicate");
  });

  it("have a note for equivocations, of which the first message counts", async () => {
    const { votes, messages, findings, notes } = await count([voteOf(0), voteOf(0, { 0: lie })]);
    expect([messages, findings]).toEqual([1, []]);
    expect(votes.of(0, 0)).toMatchObject({ votesFor: 1, votesAgainst: 0 });
    expect(notes).toEqual([
      "1 node signed two different messages for this cycle; the first of each was counted",
    ]);
  });

  it("have a finding for a line beyond its bound, and the next lines are counted", async () => {
    const { messages, findings } = await count(["x".repeat(gossipLineBytesMax(5) + 1), voteOf(0)]);
    expect(messages).toBe(1);
    expect(findings).toEqual([
      `gossip evidence/gossip.jsonl: line 1: it has more than ${gossipLineBytesMax(5)} bytes`,
    ]);
  });

  it("show no radius where a message omits a partition between others", async () => {
    const gapped = new Map([1, 4].map((partition) => [partition, hashes.get(partition) ?? ""]));
    const { messages, shownRadii } = await count([messageOf(0, gapped)]);
    expect([messages, [...shownRadii]]).toEqual([1, []]);
  });

  it("have the most popular hash of the nodes within a radius where that is requested", async () => {
    const gossip = [voteOf(0, { 0: lie }), voteOf(1, { 0: lie }), voteOf(4)];
    const near = await count(gossip, 1);
    expect(near.popular?.get(0)).toBe(lie);
    expect(near.popular?.get(1)).toBe(hashes.get(1));
    const own = await count([voteOf(0), voteOf(1, { 0: lie }), voteOf(4, { 0: lie })], 0);
    expect(own.popular?.get(0)).toBe(hashes.get(0));
    expect(own.popular?.get(-1)).toBe(hashes.get(-1));
  });
});
