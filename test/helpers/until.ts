/** Waits for a condition that no event reports. */

import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when the condition is met, which it checks every few milliseconds. The test's timeout is the only limit. */
export async function until(isMet: () => boolean): Promise<void> {
  while (!isMet()) await sleep(2);
}
