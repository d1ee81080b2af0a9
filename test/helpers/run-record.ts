import type { RunRecord } from "../../src/format/run-record.ts";

/** The record of a run without requests. */
export const emptyRun: RunRecord = {
  startedAt: "2023-11-14T22:24:00.000Z",
  finishedAt: "2023-11-14T22:24:01.000Z",
  durationMs: 1000,
  bytes: { received: 0, seeded: 0, sources: [] },
  versions: {},
  settings: { quorum: "majority", order: "bisect", concurrency: 1 },
  partitions: [],
  queries: [],
  offences: [],
  warnings: [],
};
