import { describe, expect, it } from "vitest";
import type { AgreementOutcome } from "../../src/agreement/agreed-hashes.ts";
import { AgreementReport, type ReportContext } from "../../src/agreement/agreement-report.ts";
import { GossipError, type GossipErrorKind } from "../../src/agreement/requests/gossip-source.ts";
import { describeUndecided } from "../../src/agreement/undecided.ts";
import type { Problem } from "../../src/errors/problem.ts";
import { RunLog } from "../../src/events/run-log.ts";
import { asNodeIndex } from "../../src/protocol/brands.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE, networkHash } from "../../src/protocol/partition-hash.ts";
import { storedPartitions } from "../../src/protocol/shard.ts";
import { makeVote } from "../../src/testnet/validator/gossip/vote.ts";
import { asHashes } from "../helpers/brands.ts";
import { collectionOf, cycle, hashKey, identities, idOf, shard, voteOf } from "./test-votes.ts";

interface Case {
  readonly votes: readonly string[];
  readonly failure?: GossipErrorKind;
  readonly context?: Partial<ReportContext>;
}

function report({ votes, failure, context = {} }: Case) {
  const log = new RunLog(undefined);
  const failures = failure === undefined ? [] : [[idOf(4), new GossipError(failure, "it failed")] as const];
  const whole: ReportContext = {
    shard,
    shardingSource: "proved",
    hashKey,
    quorum: "majority",
    allowEmpty: false,
    log,
    ...context,
  };
  return { log, result: () => new AgreementReport(collectionOf(votes), new Map(failures), whole).result() };
}

function problemOf(outcome: AgreementOutcome): Problem {
  return outcome.kind === "agreed" ? expect.unreachable() : describeUndecided(outcome);
}

const all = [0, 1, 2, 3, 4];

describe("the votes of a cycle", () => {
  it("agree if every partition has a majority", () => {
    const { log, result } = report({ votes: all.map((index) => voteOf(index)) });
    const hashes = new Map([-1, ...all].map((partition) => [partition, "a".repeat(64)]));
    expect(result()).toMatchObject({
      kind: "agreed",
      agreed: { partitionHashes: hashes, networkHash: networkHash(asHashes(hashes), hashKey) },
    });
    expect(log.offences).toEqual([]);
  });

  it("blame those who dissent from the majority, on each partition", () => {
    const { log, result } = report({ votes: [voteOf(0, "b"), ...all.slice(1).map((of) => voteOf(of))] });
    result();
    expect(log.offences.map(({ node, kind, partition }) => [node, kind, partition])).toEqual(
      [0, 1, 4, -1].map((partition) => [idOf(0), "dissenting-vote", partition]),
    );
  });

  it("blame nobody while nothing proves the settings that they are counted by", () => {
    const { log, result } = report({ votes: [voteOf(0, "b"), ...all.slice(1).map((of) => voteOf(of))] });
    log.record({ type: "settings", areProved: false });
    result();
    expect(log.offences).toEqual([]);
  });

  it.each([
    { id: "no validator has voted", votes: [], failure: "permanent", kind: "no-votes", code: "no-agreement" },
    {
      id: "a validator states that it is not finalized",
      votes: [],
      failure: "not-finalized",
      kind: "not-finalized",
      code: "temporary",
    },
    { id: "too few have voted", votes: [voteOf(0), voteOf(1)], kind: "no-quorum", code: "no-agreement" },
  ] as const)("may come later if $id: $kind", ({ kind, code, ...of }) => {
    const outcome = report(of).result();
    expect(outcome).toMatchObject({ kind, cycle });
    expect(problemOf(outcome).code).toBe(code);
  });

  it("never agree if those that have voted contradict each other", () => {
    const votes = ["a", "b", "c", "d", "e"].map((letter, index) => voteOf(index, letter));
    expect(report({ votes }).result).toThrow(expect.objectContaining({ code: "no-agreement" }));
  });

  it("name the failed requests in the hint", () => {
    const result = report({ votes: [voteOf(0)], failure: "temporary" }).result();
    expect(problemOf(result).hint).toContain("it failed");
  });

  const empty = hashText(EMPTY_PREIMAGE, hashKey);
  const emptyVotes = identities.map((identity, index) => {
    const stored = [-1, ...storedPartitions(shard, asNodeIndex(index))];
    return JSON.stringify(makeVote(identity, cycle, asHashes(new Map(stored.map((of) => [of, empty])))));
  });

  it("are refused if every hash is that of an empty list", () => {
    expect(report({ votes: emptyVotes }).result).toThrow(/keeps no account copies/);
  });

  it("agree on an empty network if that is allowed", () => {
    const { result } = report({ votes: emptyVotes, context: { allowEmpty: true } });
    expect(result()).toMatchObject({ kind: "agreed" });
  });
});
