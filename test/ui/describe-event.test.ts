import { describe, expect, it } from "vitest";
import type { SourceBytes } from "../../src/events/assemble-events.ts";
import { describeQuery, describeRunBytes } from "../../src/ui/describe-event.ts";
import { asPartitions } from "../helpers/brands.ts";

const node: SourceBytes = { source: { kind: "node", id: "ab".repeat(32) }, bytes: 3000 };
const mirrors: readonly SourceBytes[] = [
  { source: { kind: "mirror", url: "http://a.example" }, bytes: 1500 },
  { source: { kind: "mirror", url: "http://b.example" }, bytes: 500 },
];

describe("what a run received", () => {
  it.each([
    { id: "from nodes", received: 3000, sources: [node], text: "3.0 kB received" },
    {
      id: "from nodes and mirrors",
      received: 5000,
      sources: [node, ...mirrors],
      text: "5.0 kB received, 2.0 kB of it from mirrors",
    },
  ])("is described with the share of mirrors: $id", ({ received, sources, text }) => {
    expect(describeRunBytes({ received, seeded: 0, sources })).toBe(text);
  });
});

describe("a query", () => {
  it.each([
    { id: "ID of a node", peer: "ab".repeat(32), name: "node abababab" },
    { id: "URL of a mirror", peer: "http://a.example/snapshots", name: "mirror http://a.example/snapshots" },
  ])("is described with the $id", ({ peer, name }) => {
    const [partition] = asPartitions([3]);
    const partitions = partition === undefined ? [] : [partition];
    const query = { node: peer, partitions, verified: partitions, bytes: 2000, durationMs: 5 };
    expect(describeQuery({ ...query, outcome: "complete" })).toBe(`${name} gave 1 of 1 partition in 2.0 kB`);
  });
});
