import { describe, expect, it } from "vitest";
import { appended, type Chain, listOf } from "../../src/events/chain.ts";
import type { RunEvent } from "../../src/events/run-events.ts";
import { initialState, reduce, sourcesOf, summaryOf } from "../../src/events/run-state.ts";
import { asCycle, asMirrorUrl, asNodeId, asPartition } from "../../src/protocol/brands.ts";
import { asPartitions, hashNamed } from "../helpers/brands.ts";

const node = "a".repeat(64);
const boundary: RunEvent = { type: "boundary", timestamp: 1000, cycle: asCycle(7), partitions: 4 };
const verified: RunEvent = {
  type: "verified",
  baseBytes: 0,
  base: undefined,
  node: asNodeId(node),
  partition: asPartition(1),
  accounts: 3,
  bytes: 90,
};
const kept: RunEvent = {
  type: "kept",
  partitions: asPartitions([-1, 0]),
  accounts: 2,
  bytes: 40,
  source: { kind: "resumed" },
};
const received: RunEvent = { type: "received", node: asNodeId(node), bytes: 500 };
const response: RunEvent = {
  type: "response",
  node: asNodeId(node),
  partitions: [asPartition(1)],
  verified: [asPartition(1)],
  bytes: 500,
  outcome: "complete",
  status: undefined,
  durationMs: 12,
};
const dissent: RunEvent = {
  type: "offence",
  offence: { node, kind: "dissenting-vote", partition: 1, detail: "two\nlines" },
};

function fold(...events: readonly RunEvent[]) {
  return events.reduce(reduce, initialState);
}

describe("the state of a run", () => {
  it("is summarized with all events", () => {
    const published: RunEvent = { type: "published", directory: "out/snapshot-1000", digest: "d" };
    const warning: RunEvent = { type: "warning", message: "one\u001b[2J" };
    const state = fold(boundary, kept, received, verified, response, dissent, warning, published);
    expect(summaryOf(state, 12.4)).toEqual({
      timestamp: 1000,
      cycle: 7,
      networkHash: null,
      digest: "d",
      directory: "out/snapshot-1000",
      partitions: { total: 4, verified: 3 },
      accounts: 5,
      bytes: {
        received: 500,
        seeded: 0,
        sources: [
          { source: { kind: "node", id: node }, bytes: 500 },
          { source: { kind: "resumed" }, bytes: 40 },
        ],
      },
      stateBytes: 130,
      queries: [{ node, partitions: [1], verified: [1], bytes: 500, outcome: "complete", durationMs: 12 }],
      offences: [
        { node, kind: "dissenting-vote", partition: 1, detail: expect.any(String), basis: "signed" },
      ],
      warnings: [expect.stringMatching(/^one/)],
      damage: [],
      durationMs: 12,
    });
    expect(JSON.stringify(listOf(state.warnings))).not.toContain("\\u001b");
  });

  it("counts what came from seeds apart from what nodes sent to complete them", () => {
    const base = { kind: "seed", seed: "older" } as const;
    const completed: RunEvent = { ...verified, bytes: 90, baseBytes: 80, base };
    const unchanged: RunEvent = { ...kept, bytes: 40, source: { kind: "seed", seed: "older", id: null } };
    const state = fold(boundary, received, completed, unchanged, response);
    expect(summaryOf(state, 0).bytes).toEqual({
      received: 500,
      seeded: 120,
      sources: [
        { source: { kind: "node", id: node }, bytes: 500 },
        { source: { kind: "seed", seed: "older" }, bytes: 120 },
      ],
    });
    expect(state.stateBytes).toBe(130);
  });

  it("counts what mirrors sent apart from what nodes sent, and names a mirror by its URL", () => {
    const url = asMirrorUrl("https://***@archiver.example/snapshots?***");
    const given: RunEvent = { ...verified, node: url };
    const continued: RunEvent = { ...given, partition: asPartition(2), base: { kind: "beginning" } };
    const state = fold(boundary, { ...response, node: url, bytes: 70 }, given, continued, response);
    expect(summaryOf(state, 0).bytes.sources).toEqual([
      { source: { kind: "mirror", url }, bytes: 70 },
      { source: { kind: "node", id: node }, bytes: 500 },
    ]);
    expect([...sourcesOf(state)]).toEqual([
      [1, { kind: "mirror", url }],
      [2, { kind: "continued", url }],
    ]);
  });

  it("contains the source of each partition", () => {
    expect([...sourcesOf(fold(boundary, kept, verified))]).toEqual([
      [-1, { kind: "resumed" }],
      [0, { kind: "resumed" }],
      [1, { kind: "node", id: node }],
    ]);
  });

  it("is reset by another boundary, except for requests, offences and warnings", () => {
    const agreed: RunEvent = { type: "agreed", networkHash: hashNamed("h") };
    const damaged: RunEvent = { type: "damaged", files: [{ file: "x", problem: "missing" }] };
    const before = fold(boundary, agreed, damaged, received, verified, response, dissent);
    expect(summaryOf(before, 0)).toMatchObject({ networkHash: hashNamed("h"), damage: [{ file: "x" }] });
    const after = reduce(before, { ...boundary, cycle: asCycle(6) });
    expect(summaryOf(after, 0)).toMatchObject({
      cycle: 6,
      networkHash: null,
      partitions: { total: 4, verified: 0 },
      accounts: 0,
      stateBytes: 0,
      bytes: { received: 500, seeded: 0 },
      queries: [{ node }],
      offences: [{ node }],
      damage: [],
    });
    expect(sourcesOf(after).size).toBe(0);
  });

  it("contains no offence that depends on unproved settings", () => {
    const settings: RunEvent = { type: "settings", areProved: false };
    const redirect: RunEvent = { type: "offence", offence: { node, kind: "redirect", detail: "" } };
    const { offences } = fold(settings, dissent, redirect);
    expect(listOf(offences.recorded).map(({ kind }) => kind)).toEqual(["redirect"]);
  });

  it("is not changed by a reduction", () => {
    const state = fold(boundary, kept, received, verified, response, dissent);
    const text = JSON.stringify(state);
    for (const event of [boundary, kept, received, verified, response, dissent]) reduce(state, event);
    expect(JSON.stringify(state)).toBe(text);
    expect(reduce(state, { type: "request", node: asNodeId(node) })).toBe(state);
  });
});

describe("a chain", () => {
  it("lists its items in order, and shares earlier items with other chains", () => {
    const one: Chain<number> = appended(undefined, 1);
    expect([listOf(undefined), listOf(appended(one, 2)), listOf(appended(one, 3))]).toEqual([
      [],
      [1, 2],
      [1, 3],
    ]);
  });
});
