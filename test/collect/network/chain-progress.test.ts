import { describe, expect, it } from "vitest";
import { ChainProgress } from "../../../src/collect/network/chain-progress.ts";
import { chainJumpMs, chainResponsesMin, chainSlackCycles } from "../../../src/limits/collect.ts";
import { asCycle } from "../../../src/protocol/brands.ts";

const nowMs = Date.UTC(2026, 0, 1);
const step = (counter: number, changes: { start?: number; duration?: number } = {}) => ({
  counter: asCycle(counter),
  start: 1_700_000_000,
  duration: 60,
  ...changes,
});
const minutes = (count: number) => count * 60_000;

function following(counter: number): ChainProgress {
  const progress = new ChainProgress();
  expect(progress.propose(step(counter), nowMs, 0)).toEqual({ kind: "forward" });
  return progress;
}

describe("a first response", () => {
  it.each([
    {
      id: "with a number beyond all arithmetic",
      record: step(Number.MAX_SAFE_INTEGER),
      says: /cannot have been/,
    },
    { id: "with more cycles than there is time for", record: step(7_000_000), says: /cannot have been/ },
    {
      id: "of tiny cycles without end",
      record: step(2 ** 40, { duration: 1e-300 }),
      says: /cannot have been/,
    },
    { id: "of the future", record: step(1, { start: nowMs / 1000 + 3_600 }), says: /in the future/ },
    { id: "of a cycle of years", record: step(1, { duration: 1e9 }), says: /longer than a day/ },
  ])("$id is refused", ({ record, says }) => {
    const proposal = new ChainProgress().propose(record, nowMs, 0);
    expect(proposal).toMatchObject({ kind: "refused", problem: expect.stringMatching(says) });
  });
});

describe("a chain that gossip has confirmed", () => {
  it("advances as time passes, and at most a few cycles faster", () => {
    const progress = following(20);
    progress.confirm(asCycle(20));
    const last = 20 + 10 + chainSlackCycles;
    expect(progress.propose(step(last + 1), nowMs, minutes(10)).kind).toBe("refused");
    expect(progress.propose(step(last), nowMs, minutes(10)).kind).toBe("forward");
  });

  it("does not follow one false response, or several that do not agree", () => {
    const progress = following(20);
    progress.confirm(asCycle(18));
    for (const counter of [1_000_000, 5, 21, 900_000, 4_000, 3, 22]) {
      const kind = counter > 20 && counter < 30 ? "forward" : "refused";
      expect(progress.propose(step(counter), nowMs, 0).kind, String(counter)).toBe(kind);
    }
  });

  it("follows responses that agree for long enough", () => {
    const progress = following(20);
    progress.confirm(asCycle(20));
    for (let response = 0; response < 2 * chainResponsesMin; response++) {
      expect(progress.propose(step(500 + response), nowMs, 0).kind).toBe("refused");
    }
    expect(progress.propose(step(508), nowMs, chainJumpMs).kind).toBe("jump");
    expect(progress.isConfirmed).toBe(false);
  });
});

describe("a chain that nothing has confirmed", () => {
  it("is replaced by the next response, even one of an earlier cycle", () => {
    const progress = following(1_000_000);
    progress.confirm(asCycle(20));
    expect(progress.isConfirmed).toBe(false);
    expect(progress.propose(step(20), nowMs, 1).kind).toBe("jump");
  });
});
