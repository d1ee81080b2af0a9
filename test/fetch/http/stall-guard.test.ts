import { describe, expect, it } from "vitest";
import { StallGuard } from "../../../src/fetch/http/stall-guard.ts";
import { bytesPerSecondMin } from "../../../src/limits/http.ts";

/** A guard over a window of ten seconds, and the clock that it sees. */
function makeGuard() {
  let nowMs = 5_000;
  const guard = new StallGuard(10_000, () => nowMs);
  return {
    /** Waits for the node, and then has so many bytes of it. */
    wait: (ms: number, bytes: number) => {
      guard.startWaiting();
      nowMs += ms;
      guard.received(bytes);
    },
    /** Takes time of our own. */
    work: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe("an answer that is watched", () => {
  it("has stalled where a window of waiting brought too little", () => {
    const { wait } = makeGuard();
    wait(5_000, 1);
    expect(() => wait(5_000, 1)).toThrow(
      expect.objectContaining({ kind: "stalled", message: "only 2 bytes in 10 s of waiting" }),
    );
  });

  it("has not before the window is over", () => {
    const { wait } = makeGuard();
    for (let waited = 0; waited < 9_999; waited += 1_111) wait(1_111, 0);
  });

  it("has not where it was just fast enough, and has by one byte less", () => {
    makeGuard().wait(10_000, 10 * bytesPerSecondMin);
    expect(() => makeGuard().wait(10_000, 10 * bytesPerSecondMin - 1)).toThrow("only");
  });

  it("is measured anew after each window: what came before does not count", () => {
    const { wait } = makeGuard();
    wait(10_000, 1_000_000_000);
    wait(9_000, 0);
    expect(() => wait(1_000, 1)).toThrow("only 1 byte in 10 s");
  });

  it("is not blamed for the time that we take", () => {
    const { wait, work } = makeGuard();
    for (let chunk = 0; chunk < 100; chunk++) {
      wait(99, 1);
      work(60_000);
    }
  });
});
