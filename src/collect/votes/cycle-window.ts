/** The state of each cycle of the window: its tally and its polls. */

import type { Cycle } from "../../protocol/brands.ts";
import type { CycleTally } from "./cycle-tally.ts";

export interface CycleState {
  /** `undefined` until the cycle's nodes are known. */
  tally: CycleTally | undefined;
  /** How often the cycle was polled, and the number of the poll before which it is not polled again. */
  polls: number;
  nextPoll: number;
}

export class CycleWindow {
  readonly #cycles = new Map<Cycle, CycleState>();

  of(cycle: Cycle): CycleState {
    let state = this.#cycles.get(cycle);
    if (state === undefined) {
      state = { tally: undefined, polls: 0, nextPoll: 0 };
      this.#cycles.set(cycle, state);
    }
    return state;
  }

  /** Forgets all cycles outside of the window. */
  keepOnly(first: Cycle, last: Cycle): void {
    for (const known of this.#cycles.keys()) {
      if (known < first || known > last) this.#cycles.delete(known);
    }
  }
}
