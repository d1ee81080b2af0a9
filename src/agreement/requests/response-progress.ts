/** The useful bytes of one response to a request for gossip: they decide whether the request keeps its slot. */

import type { HashHex } from "../../protocol/brands.ts";
import type { HedgedRequest } from "./hedged-request.ts";
import type { IdleClock } from "./idle-clock.ts";

export class ResponseProgress {
  readonly #request: Pick<HedgedRequest, "credit">;
  readonly #clock: Pick<IdleClock, "nowMs">;
  readonly #votes = new Set<string>();
  #hadVotes = false;

  constructor(request: Pick<HedgedRequest, "credit">, clock: Pick<IdleClock, "nowMs">) {
    this.#request = request;
    this.#clock = clock;
  }

  /** Credits a vote, once: the same vote again in the same response is useless. */
  credit(hash: HashHex, bytes: number): void {
    if (this.#votes.has(hash)) return;
    this.#votes.add(hash);
    this.#hadVotes = true;
    this.#request.credit(bytes, this.#clock.nowMs());
  }

  /** Returns whether a vote was credited since the last call. */
  takeHadVotes(): boolean {
    const had = this.#hadVotes;
    this.#hadVotes = false;
    return had;
  }
}
