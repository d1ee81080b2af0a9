import { describe, expect, it } from "vitest";
import { ProgressMeter } from "../../src/ui/progress-meter.ts";

const progressOf = (verified: number, received: number, total = 10) => ({
  partitions: { total, verified },
  accounts: 0,
  bytes: { received, seeded: 0 },
});

/** A meter after some seconds of a constant rate, with one partition per second. */
function fed(bytesPerSecond: number, seconds: number, verifiedBefore = 0): ProgressMeter {
  const meter = new ProgressMeter();
  meter.update(progressOf(verifiedBefore, 0, 100), 0);
  for (let ms = 100; ms <= seconds * 1_000; ms += 100) {
    const verified = verifiedBefore + Math.floor(ms / 1_000);
    meter.update(progressOf(verified, (bytesPerSecond * ms) / 1_000, 100), ms);
  }
  return meter;
}

describe("a progress meter", () => {
  it("measures the rate over the last seconds only", () => {
    const meter = fed(1_000_000, 60);
    expect(meter.rate(60_000)).toBeCloseTo(1_000_000, -5);
    for (let ms = 60_100; ms <= 75_000; ms += 100) {
      meter.update(progressOf(60, 60_000_000 + (ms - 60_000) * 10, 100), ms);
    }
    expect(meter.rate(75_000)).toBeCloseTo(10_000, -3);
  });

  it("lowers the rate while no byte is received", () => {
    const meter = fed(1_000_000, 20);
    expect(meter.rate(25_000)).toBeCloseTo(500_000, -5);
    expect(meter.rate(40_000)).toBe(0);
  });

  it("returns no rate and no time left before the first byte", () => {
    const meter = new ProgressMeter();
    expect(meter.rate(0)).toBeUndefined();
    meter.update(progressOf(0, 0), 0);
    expect(meter.leftMs(5_000)).toBeUndefined();
  });

  it("estimates the time left from the partitions of this run, not of an earlier one", () => {
    expect(fed(1_000, 10).leftMs(10_000)).toBeCloseTo(89_000, -4);
    expect(fed(1_000, 10, 50).leftMs(10_000)).toBeCloseTo(39_000, -4);
  });

  it("returns the nodes that a run waits for, the longest first, after a while without a byte", () => {
    const meter = fed(1_000, 10);
    meter.requested("a", 9_000);
    meter.requested("b", 10_000);
    expect(meter.waitingFor(11_000)).toEqual([]);
    expect(meter.waitingFor(13_000)).toEqual([
      { node: "a", sinceMs: 4_000 },
      { node: "b", sinceMs: 3_000 },
    ]);
    meter.ended("a");
    expect(meter.waitingFor(13_000).map(({ node }) => node)).toEqual(["b"]);
  });
});
