import { describe, expect, it } from "vitest";
import { StallGuard } from "../../../src/fetch/http/stall-guard.ts";
import { bytesPerSecondMin } from "../../../src/limits/http.ts";

/** A guard over a window of ten seconds, and functions that advance its clock. */
function makeGuard() {
  let nowMs = 5_000;
  const guard = new StallGuard(10_000, () => nowMs);
  return {
    /** Waits for the node, and then receives bytes. */
    wait: (ms: number, bytes: number) => {
      guard.startWaiting();
      nowMs += ms;
      guard.received(bytes);
    },
    /** Spends time without waiting for the node. */
    work: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe("a guarded response", () => {
  it("stalls if too few bytes arrive in a window of waiting", () => {
    const { wait } = makeGuard();
    wait(5_000, 1);
    expect(() => wait(5_000, 1)).toThrow(
      expect.objectContaining({ kind: "stalled", message: "only 2 bytes in 10 s of waiting" }),
    );
  });

  it("does not stall before the window is over", () => {
    const { wait } = makeGuard();
    for (let waited = 0; waited < 9_999; waited += 1_111) wait(1_111, 0);
  });

  it("does not stall at exactly the minimum rate, and stalls with one byte less", () => {
    makeGuard().wait(10_000, 10 * bytesPerSecondMin);
    expect(() => makeGuard().wait(10_000, 10 * bytesPerSecondMin - 1)).toThrow("only");
  });

  it("is measured separately in each window", () => {
    const { wait } = makeGuard();
    wait(10_000, 1_000_000_000);
    wait(9_000, 0);
    expect(() => wait(1_000, 1)).toThrow("only 1 byte in 10 s");
  });

  it("does not stall because of a slow reader", () => {
    const { wait, work } = makeGuard();
    for (let chunk = 0; chunk < 100; chunk++) {
      wait(99, 1);
      work(60_000);
    }
  });
});
