/** What the scheduler does with seeds and beginnings, decision by decision. */

import { describe, expect, it } from "vitest";
import type { Beginning, ResponseReport } from "../../src/artifact/response-report.ts";
import { FetchError } from "../../src/errors/fetch-error.ts";
import { attemptsMax, backoffLastMs } from "../../src/limits/http.ts";
import { brokenDeltasMax } from "../../src/limits/seed.ts";
import { asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import type { Base, BeginningBase } from "../../src/sync/queries/partition-bases.ts";
import { allStoreAll, mismatchOf, reportOf, SchedulerDriver } from "./scheduler-driver.ts";

const zero = asPartition(0);

const older: Base = {
  kind: "older",
  seed: "a seed",
  files: [{ path: "seed", compression: "none", low: "0".repeat(64), high: "f".repeat(64) }],
  changedSince: 5,
};

const lastId = "1".repeat(64);

const earlier: BeginningBase = {
  kind: "beginning",
  files: [{ path: "earlier", compression: "none", low: "0".repeat(64), high: lastId }],
  lastId,
  bytes: 100,
  peers: undefined,
};

const failed: ResponseReport["end"] = { kind: "failed", error: new FetchError("reset", "broken off") };

function beginning(path: string, first: string, last: string): Beginning {
  return { partition: zero, firstId: first.repeat(64), lastId: last.repeat(64), bytes: 10, path };
}

/** A run that misses partition 0, which each of three peers stores. */
function runWith(...bases: readonly Base[]): SchedulerDriver {
  return new SchedulerDriver(allStoreAll, { missing: [zero], bases: new Map([[zero, bases]]) });
}

/** Performs decisions, and returns the last request. */
function requested({ scheduler, nowMs }: SchedulerDriver) {
  const action = scheduler.next(nowMs);
  if (action.type === "start") {
    scheduler.apply({ type: "decided", decision: action, atMs: nowMs });
    return scheduler.next(nowMs);
  }
  return action;
}

const unfit = { unfitBases: [{ partition: zero, reason: "got another hash" }] };

describe("a run with bases", () => {
  it("requests the changes since the moment of a seed", () => {
    expect(requested(runWith(older))).toMatchObject({ type: "request", body: { changedSince: 5 } });
  });

  it("requests what is behind a beginning", () => {
    const { body } = requested(runWith(earlier)) as { body: object };
    expect(body).toMatchObject({ accountStart: `${"1".repeat(63)}2` });
    expect(body).not.toHaveProperty("changedSince");
  });

  it("requests a partition whole of the same peer when its base did not fit", () => {
    const run = runWith(older);
    run.act();
    run.ends(0, reportOf({ kind: "complete" }, unfit));
    const action = requested(run);
    expect(action).toMatchObject({ type: "request", peer: 0 });
    expect((action as { body: object }).body).not.toHaveProperty("changedSince");
  });

  it("keeps the base of another when a peer contradicts itself", () => {
    const run = runWith(older);
    run.act();
    const mismatched = [{ ...mismatchOf(0), conflict: "an account" }];
    run.ends(0, reportOf({ kind: "complete" }, { mismatched }));
    expect(run.act()).toContain("request 0 of 2");
    expect(run.scheduler.base(run.query(2), zero)).toMatchObject({ files: older.files });
  });

  it("does not use a beginning again whose only peer completed it to another hash", () => {
    const run = runWith();
    run.act();
    run.ends(0, reportOf(failed, { beginnings: [beginning("a", "0", "1")] }));
    // Other peers are down: it continues itself.
    run.act();
    run.ends(2, reportOf(failed));
    run.act();
    run.ends(1, reportOf(failed));
    run.nowMs += 10 * backoffLastMs;
    expect(run.act()).toContain("request 0 of 0");
    expect(run.scheduler.base(run.query(0), zero)).toMatchObject({ isOfPeer: true });
    run.ends(0, reportOf({ kind: "complete" }, { mismatched: [mismatchOf(0)] }));
    expect(run.act()).toContain("request 0 of 2");
    expect(run.scheduler.base(run.query(2), zero)).toBeUndefined();
  });

  it("requests a peer again however often it breaks off, as long as it leaves beginnings", () => {
    const run = runWith();
    for (let broken = 1; broken <= 2 * attemptsMax; broken++) {
      run.act();
      run.nowMs += 10 * backoffLastMs;
      const peer = [0, 1, 2].find((index) => run.pool.state(asNodeIndex(index)).kind === "busy") as number;
      const left = beginning(`file ${broken}`, broken === 1 ? "0" : String(broken), String(broken));
      run.ends(peer, reportOf(failed, { beginnings: [left] }));
    }
    expect(run.act().at(-1)).toMatch(/^wait/);
    expect([0, 1, 2].map((peer) => run.pool.state(asNodeIndex(peer)).kind)).not.toContain("given-up");
  });

  it("requests a partition whole after deltas of it broke off", () => {
    const run = runWith(older);
    for (let broken = 0; broken < brokenDeltasMax; broken++) {
      expect(requested(run)).toMatchObject({ body: { changedSince: 5 } });
      run.act();
      run.scheduler.apply({ type: "begun", query: broken, partition: zero });
      const report = reportOf(failed);
      run.scheduler.apply({ type: "ended", query: broken, report, atMs: run.nowMs, random: 1 });
    }
    expect((requested(run) as { body: object }).body).not.toHaveProperty("changedSince");
  });

  it("removes the file of a beginning that another response has made useless", () => {
    const run = runWith();
    run.act();
    run.gives(0, 0);
    run.ends(0, reportOf(failed, { beginnings: [beginning("late", "0", "1")] }));
    expect(run.scheduler.unusedFiles).toEqual(["late"]);
  });

  it("keeps the files of a committed partition's base until its requests have ended", () => {
    const run = runWith(earlier);
    run.act();
    run.gives(0, 0);
    expect(run.scheduler.unusedFiles).toEqual([]);
    run.ends(0);
    expect(run.scheduler.unusedFiles).toEqual(["earlier"]);
  });

  it("gives bases up where the disk has no space for them", () => {
    const run = runWith(older, earlier);
    for (const peer of [0, 2, 1]) {
      run.act();
      run.fillsDisk(peer);
    }
    expect(run.act()).toContain("use-last-share");
    expect(run.scheduler.base(run.query(0), zero)).toBeUndefined();
    expect(run.scheduler.unusedFiles).toEqual(["earlier"]);
  });
});
