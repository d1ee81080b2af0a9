import { expect, it } from "vitest";
import { IdleClock } from "../../../src/agreement/requests/idle-clock.ts";

/** How far the idle clock advances while batches arrive every 10 ms and each takes 100 ms of work. */
async function idleMs(isUseful: boolean): Promise<number> {
  let nowMs = 0;
  const clock = new IdleClock(() => nowMs);
  async function* batches(): AsyncGenerator<number, void, void> {
    for (let batch = 0; batch < 4; batch++) {
      nowMs += 10;
      yield await Promise.resolve(batch);
    }
  }
  for await (const _batch of clock.watched(batches(), () => isUseful)) nowMs += 100;
  return clock.nowMs();
}

it("an idle clock stands still while useful batches are processed", async () => {
  expect(await idleMs(true)).toBe(40);
});

it("an idle clock slows down while useless batches are processed", async () => {
  expect(await idleMs(false)).toBe(40 + 4 * 25);
});
