/** A pause that a signal can abort. */

import { setTimeout } from "node:timers/promises";

/** Waits; rejects with the signal's reason as soon as it is aborted. */
export async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(delayMs, undefined, signal === undefined ? {} : { signal });
}
