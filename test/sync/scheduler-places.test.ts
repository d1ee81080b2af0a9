/** What waits for a place that stragglers hold. */

import { describe, expect, it } from "vitest";
import { eachStoresOne, SchedulerDriver } from "./scheduler-driver.ts";

/** A run with one place, and four peers of which each is the only source of its partition. */
function runWithOnePlace(): SchedulerDriver {
  return new SchedulerDriver(eachStoresOne, { concurrency: 1 });
}

/** Lets stragglers yield, and ends their responses, until a number of requests was sent; returns the requests. */
function requestsOf(run: SchedulerDriver, count: number): string[] {
  const requests: string[] = [];
  for (let rounds = 0; requests.length < count && rounds < 1_000; rounds++)
    for (const action of rounds === 0 ? run.act() : run.actLater()) {
      if (action.startsWith("request")) requests.push(action);
      const yielding = /instead of (\d)/.exec(action)?.[1];
      if (yielding !== undefined) run.ends(Number(yielding));
    }
  return requests;
}

describe("a run whose places stragglers hold", () => {
  it("requests what waits for a place beside a straggler that nobody can replace", () => {
    const run = runWithOnePlace();
    expect(run.act()).toContain("request 0 of 0");
    expect(run.actLater()).toContain("hedge 1");
  });

  it("lets a straggler yield where another one has the extra place", () => {
    const run = runWithOnePlace();
    run.act();
    run.actLater();
    expect(run.actLater()).toContain("hedge 2 instead of 0");
  });

  it("requests every partition before one that has yielded its place, and then those again", () => {
    const requests = requestsOf(runWithOnePlace(), 5);
    expect(requests).toHaveLength(5);
    expect(new Set(requests.slice(0, 4)).size).toBe(4);
  });
});
