import { describe, expect, it } from "vitest";
import { latenessCheckMs } from "../../src/limits/limits.ts";
import { ResponseProgress } from "../../src/sync/response-progress.ts";
import { WakefulClock } from "../../src/sync/wakeful-clock.ts";

function makeClock() {
  let nowMs = 1_000;
  const clock = new WakefulClock(() => nowMs);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const live = (ms: number) => {
    for (let left = ms; left > 0; left -= latenessCheckMs) {
      pass(Math.min(left, latenessCheckMs));
      clock.beat();
    }
  };
  return { clock, pass, live };
}

describe("the wakeful clock", () => {
  it("goes on with the time while it beats", () => {
    const { clock, pass, live } = makeClock();
    live(10 * latenessCheckMs);
    pass(100);
    expect(clock.nowMs).toBe(10 * latenessCheckMs + 100);
  });

  it("leaves out a pause of ours but for its beginning", () => {
    const { clock, pass, live } = makeClock();
    live(1_000);
    pass(3_600_000);
    expect(clock.nowMs).toBe(1_000 + 2 * latenessCheckMs);
    clock.beat();
    pass(10);
    expect(clock.nowMs).toBe(1_010 + 2 * latenessCheckMs);
  });
});

describe("the watch over an answer", () => {
  it("counts the time that we wait for bytes, and none in which we work on them", async () => {
    const { clock, pass, live } = makeClock();
    const watch = new ResponseProgress(() => clock.nowMs);
    async function* chunks() {
      await Promise.resolve();
      live(300);
      yield Buffer.alloc(10);
      live(500);
      yield Buffer.alloc(20);
      live(700);
    }
    const seen: object[] = [];
    for await (const _ of watch.watched(chunks())) {
      live(5_000);
      seen.push(watch.soFar);
    }
    expect(seen).toEqual([
      { firstByteMs: 300, bytes: 10, bytesMs: 0, silentMs: 0 },
      { firstByteMs: 300, bytes: 30, bytesMs: 500, silentMs: 0 },
    ]);
    expect(watch.soFar).toEqual({ firstByteMs: 300, bytes: 30, bytesMs: 1_200, silentMs: 0 });
    const silent = new ResponseProgress(() => clock.nowMs);
    pass(40);
    expect(silent.soFar).toEqual({ firstByteMs: 40, bytes: 0, bytesMs: 0, silentMs: 40 });
  });
});
