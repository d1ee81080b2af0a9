import { describe, expect, it } from "vitest";
import {
  stragglerAfterMs,
  stragglerFactor,
  stragglerUnmeasuredMs,
  unmeasuredBytesPerSecond,
} from "../../../src/limits/sync.ts";
import { asNodeIndex } from "../../../src/protocol/brands.ts";
import { type SpeedSample, Throughput } from "../../../src/sync/peers/throughput.ts";

const answer = (firstByteMs: number, bytes = 10_000, bytesMs = 0): SpeedSample => ({
  firstByteMs,
  bytes,
  bytesMs,
});
const soFar = (sample: SpeedSample, silentMs = 0) => ({ ...sample, silentMs });
const megabytes = (count: number, ms: number) => answer(10, count * 1e6, ms);

function measured(...samples: [number, SpeedSample][]): Throughput {
  const speeds = new Throughput();
  for (const [node, sample] of samples) speeds.note(asNodeIndex(node), sample);
  return speeds;
}

describe("the pace of a node", () => {
  it("is the same for all where nothing is measured, or all are about equal", () => {
    expect([0, 1, 2].map((node) => new Throughput().pace(asNodeIndex(node)))).toEqual([0, 0, 0]);
    const equal = measured([0, answer(5)], [1, answer(60)], [2, megabytes(5, 90)]);
    expect([0, 1, 2, 3].map((node) => equal.pace(asNodeIndex(node)))).toEqual([0, 0, 0, 0]);
  });

  it("puts a slow node behind, by its first byte as by its bytes a second", () => {
    const speeds = measured([0, answer(5)], [1, answer(700)], [2, answer(5)]);
    expect(speeds.pace(asNodeIndex(1))).toBeGreaterThan(speeds.pace(asNodeIndex(0)));
    const long = measured([0, megabytes(50, 500)], [1, megabytes(50, 50_000)], [2, megabytes(50, 500)]);
    expect(long.pace(asNodeIndex(1))).toBeGreaterThan(long.pace(asNodeIndex(0)));
  });

  it("of a node that is not measured is that of most", () => {
    const speeds = measured([0, answer(5)], [1, answer(700)], [2, answer(5)]);
    expect(speeds.pace(asNodeIndex(9))).toBe(speeds.pace(asNodeIndex(0)));
    expect(measured([0, answer(700)], [1, answer(700)], [2, answer(5)]).pace(asNodeIndex(9))).toBeGreaterThan(
      0,
    );
  });

  it("gets better again with better answers", () => {
    const speeds = measured([0, answer(5)], [2, answer(5)], [1, answer(900)]);
    const before = speeds.pace(asNodeIndex(1));
    for (let again = 0; again < 10; again++) speeds.note(asNodeIndex(1), answer(5));
    expect(speeds.pace(asNodeIndex(1))).toBeLessThan(before);
    expect(speeds.pace(asNodeIndex(1))).toBe(0);
  });
});

describe("an answer", () => {
  const waited = stragglerAfterMs + 1_000;

  it("that nothing can be compared with is late when nothing came for long", () => {
    const speeds = measured([7, answer(5)]);
    expect(speeds.isStraggling(asNodeIndex(7), soFar(answer(waited, 0), waited), [])).toBe(false);
    expect(
      speeds.isStraggling(
        asNodeIndex(7),
        soFar(answer(5, 10, stragglerUnmeasuredMs), stragglerUnmeasuredMs + 1),
        [],
      ),
    ).toBe(true);
  });

  it("is late where others had their first byte long before", () => {
    const speeds = measured([0, answer(5)]);
    expect(
      speeds.isStraggling(asNodeIndex(1), soFar(answer(stragglerAfterMs, 0), stragglerAfterMs), []),
    ).toBe(false);
    expect(speeds.isStraggling(asNodeIndex(1), soFar(answer(waited, 0), waited), [])).toBe(true);
    const slowNetwork = measured([0, answer(1_000)]);
    expect(slowNetwork.isStraggling(asNodeIndex(1), soFar(answer(waited, 0), waited), [])).toBe(false);
    expect(
      slowNetwork.isStraggling(
        asNodeIndex(1),
        soFar(answer(stragglerAfterMs + stragglerFactor * 1_000 + 100, 0), waited * 3),
        [],
      ),
    ).toBe(true);
  });

  it("is late where it pauses, however fast it was", () => {
    const speeds = measured([0, megabytes(1_000, 10_000)]);
    expect(speeds.isStraggling(asNodeIndex(1), soFar(megabytes(1_000, 10_000), stragglerAfterMs), [])).toBe(
      false,
    );
    expect(speeds.isStraggling(asNodeIndex(1), soFar(megabytes(1_000, 10_000), waited), [])).toBe(true);
  });

  it("is late where each byte takes several times as long as with others", () => {
    const speeds = measured([0, megabytes(100, 1_000)]);
    expect(speeds.isStraggling(asNodeIndex(1), soFar(megabytes(1_000, 30_000)), [])).toBe(false);
    expect(speeds.isStraggling(asNodeIndex(1), soFar(megabytes(1_000, 60_000)), [])).toBe(true);
  });

  it("is not late where all that are under way are as slow, nor for being long", () => {
    const slow = soFar(megabytes(1_000, 60_000));
    expect(
      new Throughput().isStraggling(asNodeIndex(1), slow, [megabytes(900, 60_000), megabytes(1_000, 61_000)]),
    ).toBe(false);
    expect(measured([0, megabytes(100, 6_000)]).isStraggling(asNodeIndex(1), slow, [])).toBe(false);
  });

  it("that nothing can be compared with is late when it comes drop by drop", () => {
    const drops = (ms: number) => soFar(answer(5, 3 * ms, ms), 500);
    expect(new Throughput().isStraggling(asNodeIndex(0), drops(stragglerUnmeasuredMs), [])).toBe(false);
    expect(new Throughput().isStraggling(asNodeIndex(0), drops(1.1 * stragglerUnmeasuredMs), [])).toBe(true);
    const steady = soFar(answer(5, 2 * unmeasuredBytesPerSecond * 60, 60_000), 5);
    expect(new Throughput().isStraggling(asNodeIndex(0), steady, [])).toBe(false);
  });

  it("does not buy time with bytes", () => {
    const short = measured([0, answer(5)], [2, answer(5)]);
    const boughtMs = (bytes: number) => {
      for (let ms = 0; ; ms += 1_000)
        if (short.isStraggling(asNodeIndex(1), soFar(answer(5, bytes, ms)), [])) return ms;
    };
    expect(boughtMs(1.1e6)).toBeLessThan(30_000);
    expect(boughtMs(1e9)).toBe(boughtMs(1e12));
    expect(boughtMs(1e12)).toBeLessThan(60_000);
  });

  it("is waited for longer with more patience", () => {
    const late = soFar(answer(waited, 0), waited);
    expect(
      [1, 2].map((patience) => measured([0, answer(5)]).isStraggling(asNodeIndex(1), late, [], patience)),
    ).toEqual([true, false]);
  });

  it("is not compared with its own node's earlier ones", () => {
    const speeds = measured([1, answer(1)], [1, answer(1)]);
    expect(speeds.isStraggling(asNodeIndex(1), soFar(answer(waited, 0), waited), [])).toBe(false);
  });
});
