import { expect, it } from "vitest";
import type { AssembleEvent } from "../../src/events/assemble-events.ts";
import { RunLog } from "../../src/events/run-log.ts";
import { offencesPerNodeMax } from "../../src/limits/sync.ts";
import { asCycle, asNodeId, asPartition } from "../../src/protocol/brands.ts";

const node = "a".repeat(64);

function logOf() {
  const reported: AssembleEvent[] = [];
  return { log: new RunLog({ report: (event) => void reported.push(event) }), reported };
}

it("the log of a run forwards its events to the reporter", () => {
  const { log, reported } = logOf();
  log.stage("reading");
  log.record({ type: "boundary", timestamp: 1000, cycle: asCycle(7), partitions: 4 });
  log.record({ type: "request", node: asNodeId(node) });
  log.record({ type: "received", node: asNodeId(node), bytes: 5 });
  log.record({
    type: "verified",
    baseBytes: 0,
    base: undefined,
    node: asNodeId(node),
    partition: asPartition(1),
    accounts: 3,
    bytes: 90,
  });
  log.warn("late");
  log.offence({ node, kind: "redirect", detail: "elsewhere" });
  log.end(undefined);
  expect(reported.map(({ type }) => type)).toEqual([
    "stage",
    "asked",
    "progress",
    "progress",
    "warning",
    "offence",
    "end",
  ]);
  expect(reported.at(-1)).toMatchObject({ summary: { cycle: 7, accounts: 3, warnings: ["late"] } });
});

it("the log of a run keeps a bounded number of offences of one node", () => {
  const { log, reported } = logOf();
  for (let count = 0; count < 2 * offencesPerNodeMax; count++) {
    log.offence({ node, kind: "redirect", detail: "elsewhere" });
  }
  log.offence({ node: "b".repeat(64), kind: "redirect", detail: "elsewhere" });
  expect(log.offences).toHaveLength(offencesPerNodeMax + 1);
  expect(reported).toHaveLength(offencesPerNodeMax + 1);
});
