import { describe, expect, it } from "vitest";
import { FetchError } from "../../src/errors/fetch-error.ts";
import { ResponseError } from "../../src/errors/response-error.ts";
import { attemptsMax, backoffFirstMs } from "../../src/limits/http.ts";
import {
  responseTailMaxMs,
  responseTailMs,
  stragglerUnmeasuredMs,
  unconfirmedBytesFirst,
} from "../../src/limits/sync.ts";
import { asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import { GLOBAL_PARTITION, makeShard } from "../../src/protocol/shard.ts";
import { asHashes, asPartitions, hashNamed } from "../helpers/brands.ts";
import { allStoreAll, eachStoresOne, mismatchOf, reportOf, SchedulerDriver } from "./scheduler-driver.ts";

const aborted = reportOf({ kind: "failed", error: new FetchError("aborted", "aborted") });
const unreachable = reportOf({ kind: "failed", error: new FetchError("unreachable", "refused") });
const malformed = reportOf({ kind: "failed", error: new ResponseError("malformed", "no list") });
const tooEarly = reportOf({ kind: "failed", error: new FetchError("status", "too early", { status: 425 }) });
const overBudget = (partition: number) =>
  reportOf(
    { kind: "failed", error: new ResponseError("over-budget", "too much") },
    { outgrown: [{ partition: asPartition(partition), bytes: unconfirmedBytesFirst + 1 }] },
  );

/** Lets nothing arrive until the scheduler has decided something. */
function untilHedge(run: SchedulerDriver): string[] {
  run.act();
  run.nowMs += stragglerUnmeasuredMs + 1;
  return run.act();
}

interface Story {
  readonly id: string;
  readonly tell: () => void;
}

const requests: readonly Story[] = [
  {
    id: "a run without missing partitions is done at once",
    tell: () => expect(new SchedulerDriver(allStoreAll, { missing: [] }).act()).toEqual(["done"]),
  },
  {
    id: "one peer that stores everything is requested for everything",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll);
      expect(run.act()).toEqual(["query 0", "request 0,1,2 of 0", "wait until 250"]);
      run.gives(0, 0, 1, 2);
      run.ends(0);
      expect(run.act()).toEqual(["end 0", "done"]);
    },
  },
  {
    id: "the next action is the same until it is applied",
    tell: () => {
      const { scheduler } = new SchedulerDriver(allStoreAll);
      expect(scheduler.next(0)).toEqual(scheduler.next(0));
    },
  },
  {
    id: "queries use the places of the concurrency",
    tell: () => {
      const run = new SchedulerDriver(eachStoresOne, { concurrency: 2 });
      expect(run.act()).toEqual(["query 0", "request 0 of 0", "query 3", "request 3 of 3", "wait until 250"]);
      run.gives(0, 0);
      run.ends(0);
      expect(run.act()).toEqual(["end 0", "query 1", "request 1 of 1", "wait until 250"]);
    },
  },
  {
    id: "a query sends one request per range of partitions",
    tell: () => {
      const run = new SchedulerDriver(makeShard({ numNodes: 5, nodesPerConsensusGroup: 5 }), {
        missing: asPartitions([GLOBAL_PARTITION, 0, 2]),
        agreedHashes: asHashes(new Map([GLOBAL_PARTITION, 0, 2].map((p) => [p, hashNamed(`hash ${p}`)]))),
      });
      expect(run.act().slice(0, 2)).toEqual(["query 0", "request 0 of 0"]);
      run.gives(0, 0);
      run.ends(0);
      expect(run.act()[0]).toBe("request 2 of 0");
      run.gives(0, 2);
      run.ends(0);
      expect(run.act()[0]).toBe("request -1 of 0");
    },
  },
  {
    id: "a partition that no query gives is welcome in any response",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0, 1]) });
      run.act();
      expect(run.scheduler.expected(run.query(0), asPartition(2))).toBeUndefined();
      run.gives(0, 0);
      run.ends(0, unreachable);
      expect(run.act().slice(0, 2)).toEqual(["query 2", "request 1 of 2"]);
      expect(run.scheduler.stores(run.query(2), asPartition(1))).toBe(true);
    },
  },
  {
    id: "a partition that another query gives is of no use",
    tell: () => {
      const run = new SchedulerDriver(
        makeShard({ numNodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1 }),
        {
          concurrency: 2,
        },
      );
      run.act();
      expect(run.scheduler.expected(run.query(0), asPartition(8))).toBe(hashNamed("hash 8"));
      expect(run.scheduler.expected(run.query(8), asPartition(8))).toBeUndefined();
      expect(() => run.begins(8, 8)).toThrow("given by another query");
    },
  },
  {
    id: "a partition that could not be stored is requested of another peer",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0]) });
      run.act();
      run.begins(0, 0);
      run.scheduler.apply({ type: "settled", query: run.query(0), partition: asPartition(0) });
      expect(run.scheduler.expected(run.query(0), asPartition(0))).toBeUndefined();
      run.scheduler.apply({ type: "unsettled", partition: asPartition(0) });
      run.fillsDisk(0);
      expect(run.act()).toEqual(["end 0", "query 2", "request 0 of 2", "wait until 250"]);
    },
  },
];

const failures: readonly Story[] = [
  {
    id: "a peer that fails is requested again after its pause",
    tell: () => {
      const run = new SchedulerDriver(makeShard({ numNodes: 1 }));
      run.act();
      run.ends(0, unreachable);
      expect(run.act()).toEqual([`wait until ${backoffFirstMs}`]);
      run.nowMs = backoffFirstMs;
      expect(run.act().slice(0, 2)).toEqual(["query 0", "request 0 of 0"]);
    },
  },
  {
    id: "a peer that fails each time is given up",
    tell: () => {
      const run = new SchedulerDriver(makeShard({ numNodes: 1 }));
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        expect(run.actLater().slice(0, 2)).toEqual(["query 0", "request 0 of 0"]);
        run.ends(0, unreachable);
      }
      expect(run.act()).toEqual(["give-up"]);
    },
  },
  {
    id: "a peer that fails is requested after the others",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll);
      run.act();
      run.ends(0, unreachable);
      run.nowMs = backoffFirstMs;
      expect(run.act()[0]).toBe("query 2");
    },
  },
  {
    id: "a peer that gives a wrong partition is not requested for it again",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0, 1]) });
      run.act();
      run.gives(0, 0);
      run.ends(0, reportOf({ kind: "complete" }, { mismatched: [mismatchOf(1)] }));
      expect(run.act()).toEqual(["end 0", "query 2", "request 1 of 2", "wait until 250"]);
    },
  },
  {
    id: "a partition that every peer gives wrongly ends the run",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([1]) });
      for (const peer of [0, 2, 1]) {
        expect(run.act()).toContain(`request 1 of ${peer}`);
        run.ends(peer, reportOf({ kind: "complete" }, { mismatched: [mismatchOf(1)] }));
      }
      expect(run.act()).toEqual(["end 1", "give-up"]);
    },
  },
  {
    id: "a peer that still exports the snapshot is not waited for where an older one will do",
    tell: () => {
      const run = new SchedulerDriver(makeShard({ numNodes: 1 }), { hasOlder: true });
      run.act();
      run.ends(0, tooEarly);
      expect(run.act()).toEqual(["give-up"]);
    },
  },
  {
    id: "a peer that still exports the snapshot is waited for once a peer has given a partition",
    tell: () => {
      const run = new SchedulerDriver(eachStoresOne, { hasOlder: true, missing: asPartitions([0, 3]) });
      run.act();
      run.gives(0, 0);
      run.ends(0);
      run.act();
      run.ends(3, tooEarly);
      expect(run.act()).toEqual([`wait until ${backoffFirstMs}`]);
    },
  },
  {
    id: "a cancelled query whose response is malformed costs its peer one partition",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([1]) });
      expect(untilHedge(run)[0]).toBe("hedge 2");
      run.gives(2, 1);
      expect(run.act()[0]).toBe("cancel 0: hedged");
      run.ends(0, malformed);
      expect(run.pool.state(asNodeIndex(0)).kind).toBe("backing-off");
      expect(run.pool.mayGive(asNodeIndex(0), asPartition(1))).toBe(false);
    },
  },
];

const hedges: readonly Story[] = [
  {
    id: "a straggler's partitions are hedged to a peer that was not requested for them",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0, 1]) });
      expect(untilHedge(run).slice(0, 2)).toEqual(["hedge 2", "request 0,1 of 2"]);
    },
  },
  {
    id: "a hedge that wins cancels the straggler, whose peer is not blamed",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0]) });
      untilHedge(run);
      run.gives(2, 0);
      expect(run.act()[0]).toBe("cancel 0: hedged");
      expect(run.scheduler.cancellation(run.query(0))).toBe("hedged");
      run.ends(0, aborted);
      run.ends(2);
      expect(run.act()).toEqual(["end 0", "end 2", "done"]);
      expect(run.pool.failures(asNodeIndex(0))).toBe(0);
    },
  },
  {
    id: "a straggler that wins cancels the hedge",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0]) });
      untilHedge(run);
      run.gives(0, 0);
      expect(run.act()[0]).toBe("cancel 2: hedged");
      expect(run.scheduler.cancellation(run.query(0))).toBeUndefined();
    },
  },
  {
    id: "a query that gives more than the hedge continues",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0, 1]) });
      untilHedge(run);
      run.gives(2, 0);
      expect(run.act().filter((action) => action.startsWith("cancel"))).toEqual([]);
    },
  },
  {
    id: "stragglers that every peer was requested for back off, and are hedged again",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0]) });
      untilHedge(run);
      run.ends(2, unreachable);
      expect(run.actLater()[0]).toBe("hedge 1");
      run.ends(1, unreachable);
      expect(run.actLater()[0]).toBe("back off for 0");
      run.nowMs += 2 * stragglerUnmeasuredMs;
      expect(run.act()[0]).toMatch(/^hedge [12]$/);
    },
  },
  {
    id: "a second straggler yields its place to the next hedge",
    tell: () => {
      const run = new SchedulerDriver(eachStoresOne, { concurrency: 1, missing: asPartitions([0]) });
      run.act();
      run.nowMs += stragglerUnmeasuredMs + 1;
      expect(run.act()[0]).toBe("back off for 0");
      const others = new SchedulerDriver(allStoreAll, { missing: asPartitions([0]) });
      untilHedge(others);
      others.nowMs += 2 * stragglerUnmeasuredMs;
      expect(others.act()[0]).toBe("hedge 1 instead of 0");
    },
  },
  {
    id: "a straggler is cancelled where the rest of its query needs another request",
    tell: () => {
      const run = new SchedulerDriver(makeShard({ numNodes: 5, nodesPerConsensusGroup: 5 }), {
        missing: asPartitions([0, 2]),
      });
      run.act();
      run.gives(0, 0);
      expect(run.actLater()[0]).toBe("cancel 0: not-needed");
      run.ends(0, aborted);
      expect(run.act().slice(0, 3)).toEqual(["end 0", "query 0", "request 2 of 0"]);
    },
  },
  {
    id: "a straggler that has nothing left to give is cancelled where partitions are missing",
    tell: () => {
      const run = new SchedulerDriver(eachStoresOne, { missing: asPartitions([0, 3]) });
      run.act();
      run.gives(0, 0);
      expect(run.actLater()[0]).toBe("cancel 0: not-needed");
      run.ends(0, aborted);
      expect(run.act().slice(0, 2)).toEqual(["end 0", "query 3"]);
    },
  },
];

const budgets: readonly Story[] = [
  {
    id: "a response that outgrows the byte budget is not requested again while others have the partition",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0]) });
      run.act();
      expect(run.holds(0, 0, unconfirmedBytesFirst)).toBe("within");
      expect(run.holds(0, 0, unconfirmedBytesFirst + 1)).toBe("outgrown");
      run.ends(0, overBudget(0));
      expect(run.act()[0]).toBe("query 2");
      run.gives(2, 0);
      expect(run.scheduler.oversized(asPartition(0), 10)).toEqual([
        { node: "0".repeat(64), bytes: unconfirmedBytesFirst + 1 },
      ]);
    },
  },
  {
    id: "a response that is too long in all excludes what it was requested for",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0]) });
      run.act();
      run.ends(0, reportOf({ kind: "failed", error: new ResponseError("over-budget", "too long") }));
      expect(run.pool.mayGive(asNodeIndex(0), asPartition(0))).toBe(false);
    },
  },
  {
    id: "the budget grows once no other peer is left",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0]) });
      run.act();
      run.ends(0, overBudget(0));
      // The two other peers fail in turn, until both are given up.
      for (let attempt = 0; attempt < 2 * attemptsMax; attempt++) {
        const query = run.actLater().find((action) => action.startsWith("query"));
        expect(query).toMatch(/^query [12]$/);
        run.ends(Number(query?.at(-1)), unreachable);
      }
      expect(run.actLater().slice(0, 2)).toEqual(["grow-budget", "query 0"]);
      expect(run.holds(0, 0, unconfirmedBytesFirst + 1)).toBe("within");
    },
  },
  {
    id: "a backoff lets the budget grow where that makes a peer a source again",
    tell: () => {
      const run = new SchedulerDriver(makeShard({ numNodes: 2, nodesPerConsensusGroup: 2 }), {
        missing: asPartitions([0]),
      });
      run.act();
      run.ends(0, overBudget(0));
      run.act();
      run.nowMs += stragglerUnmeasuredMs + 1;
      expect(run.act().slice(0, 2)).toEqual(["back off for 0", "hedge 0"]);
    },
  },
  {
    id: "a full disk leaves one response at a time, and then ends the run",
    tell: () => {
      const run = new SchedulerDriver(eachStoresOne, { concurrency: 4, missing: asPartitions([0, 3]) });
      run.act();
      for (const peer of [0, 3]) {
        run.begins(peer, peer);
        run.fillsDisk(peer);
      }
      expect(run.act()).toEqual([
        "end 0",
        "end 3",
        "use-last-share",
        "query 0",
        "request 0 of 0",
        "wait until 250",
      ]);
      run.begins(0, 0);
      run.fillsDisk(0);
      expect(run.act()).toEqual(["end 0", "query 3", "request 3 of 3", "wait until 250"]);
      run.begins(3, 3);
      run.fillsDisk(3);
      expect(run.act()).toEqual(["end 3", "give-up"]);
    },
  },
  {
    id: "on a full disk, a hedge waits until the straggler's response has ended",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { concurrency: 4, missing: asPartitions([0]) });
      for (const peer of [0, 2, 1]) {
        expect(run.act()).toContain(`request 0 of ${peer}`);
        run.begins(peer, 0);
        run.fillsDisk(peer);
      }
      expect(run.act()).toEqual(["end 1", "use-last-share", "query 0", "request 0 of 0", "wait until 250"]);
      const performed = run.actLater();
      expect(performed[0]).toBe("hedge 2 instead of 0");
      expect(performed.filter((action) => action.startsWith("request"))).toEqual([]);
      run.ends(0, aborted);
      expect(run.act().slice(0, 2)).toEqual(["end 0", "request 0 of 2"]);
    },
  },
  {
    id: "a straggler on a full disk is cancelled for the peers that the disk had no space for",
    tell: () => {
      const run = new SchedulerDriver(allStoreAll, { missing: asPartitions([0]) });
      for (const peer of [0, 2]) {
        run.act();
        run.begins(peer, 0);
        run.fillsDisk(peer);
      }
      expect(run.act()).toContain("request 0 of 1");
      run.nowMs += stragglerUnmeasuredMs + 1;
      expect(run.act().slice(0, 1)).toEqual(["use-last-share"]);
      run.ends(1, aborted);
      expect(run.act().slice(0, 3)).toEqual(["end 1", "query 0", "request 0 of 0"]);
    },
  },
  {
    id: "a full disk without a begun partition excludes what was requested",
    tell: () => {
      const run = new SchedulerDriver(eachStoresOne, { missing: asPartitions([0]) });
      run.act();
      run.fillsDisk(0);
      expect(run.act().slice(0, 3)).toEqual(["end 0", "use-last-share", "query 0"]);
    },
  },
];

const tails: readonly Story[] = [
  {
    id: "a complete run waits for the first response, and then a moment for the others",
    tell: () => {
      const run = new SchedulerDriver(eachStoresOne, { concurrency: 2, missing: asPartitions([0, 3]) });
      run.act();
      run.gives(0, 0);
      run.gives(3, 3);
      expect(run.act()).toEqual([`wait until ${responseTailMaxMs}`]);
      run.nowMs = 100;
      run.ends(0);
      expect(run.act()).toEqual(["end 0", `wait until ${100 + responseTailMs}`]);
      run.nowMs = 100 + responseTailMs;
      expect(run.act()).toEqual(["cancel 3: not-needed", "wait"]);
      run.ends(3, aborted);
      expect(run.act()).toEqual(["end 3", "done"]);
    },
  },
  {
    id: "a response that does not end is cancelled once the run is complete",
    tell: () => {
      const run = new SchedulerDriver(eachStoresOne, { missing: asPartitions([0]) });
      run.act();
      run.gives(0, 0);
      run.nowMs = responseTailMaxMs;
      run.receives(0, 1);
      expect(run.act()).toEqual(["cancel 0: not-needed", "wait"]);
    },
  },
];

describe.each([
  ["the scheduler requests partitions", requests],
  ["the scheduler judges failures", failures],
  ["the scheduler hedges stragglers", hedges],
  ["the scheduler bounds bytes", budgets],
  ["the scheduler ends a run", tails],
] as const)("%s", (_, stories) => {
  it.each(stories)("$id", ({ tell }) => tell());
});

describe("the scheduler's state", () => {
  it("names what is missing, the queries and the peers", () => {
    const run = new SchedulerDriver(eachStoresOne, { missing: asPartitions([0, 1, 3]) });
    run.act();
    run.ends(0, unreachable);
    run.act();
    run.receives(3, 5);
    expect(run.scheduler.describe(100)).toEqual({
      missing: [0, 1],
      committing: [],
      queries: [
        {
          node: "3".repeat(64),
          state: "requesting",
          isHedge: false,
          partitions: [3],
          sinceMs: 100,
          bytes: 5,
        },
      ],
      peers: { idle: 2, busy: 1, "backing-off": 1, "given-up": 0 },
      nextRetryInMs: backoffFirstMs - 100,
    });
  });
});

const misuses: readonly { id: string; misuse: (run: SchedulerDriver) => void; message: string }[] = [
  {
    id: "of a query that is over",
    misuse: (run) => run.scheduler.apply({ type: "received", query: 7, bytes: 1, atMs: 0 }),
    message: "no query 7",
  },
  {
    id: "that commits what is not settled",
    misuse: (run) => run.scheduler.apply({ type: "committed", partition: asPartition(0), bytes: 1, atMs: 0 }),
    message: "not being committed",
  },
  {
    id: "that ends a response twice",
    misuse: (run) => {
      run.ends(0);
      run.ends(0);
    },
    message: "no response that could end",
  },
  {
    id: "that fills the disk without a response",
    misuse: (run) => {
      run.ends(0);
      run.fillsDisk(0);
    },
    message: "no response that could fill",
  },
  {
    id: "that begins a partition without a response",
    misuse: (run) => {
      run.ends(0);
      run.begins(0, 0);
    },
    message: "cannot give a partition",
  },
];

describe("the scheduler rejects an event", () => {
  it.each(misuses)("$id", ({ misuse, message }) => {
    const run = new SchedulerDriver(eachStoresOne);
    run.act();
    expect(() => misuse(run)).toThrow(message);
  });
});
