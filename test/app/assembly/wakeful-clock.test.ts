import { describe, expect, it } from "vitest";
import { WakefulClock } from "../../../src/app/assembly/wakeful-clock.ts";
import { stragglerCheckMs } from "../../../src/limits/sync.ts";

function makeClock() {
  let nowMs = 1_000;
  const clock = new WakefulClock(() => nowMs);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const live = (ms: number) => {
    for (let left = ms; left > 0; left -= stragglerCheckMs) {
      pass(Math.min(left, stragglerCheckMs));
      clock.beat();
    }
  };
  return { clock, pass, live };
}

describe("the wakeful clock", () => {
  it("advances with the time while it beats", () => {
    const { clock, pass, live } = makeClock();
    live(10 * stragglerCheckMs);
    pass(100);
    expect(clock.nowMs()).toBe(10 * stragglerCheckMs + 100);
  });

  it("leaves out a pause of the process except for its beginning", () => {
    const { clock, pass, live } = makeClock();
    live(1_000);
    pass(3_600_000);
    expect(clock.nowMs()).toBe(1_000 + 2 * stragglerCheckMs);
    clock.beat();
    pass(10);
    expect(clock.nowMs()).toBe(1_010 + 2 * stragglerCheckMs);
  });
});
