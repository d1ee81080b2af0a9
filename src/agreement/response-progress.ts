/** What one response to a request for gossip has brought so far: that decides whether the request keeps its place. */

import type { HedgedRequest } from "../fetch/hedged-requests.ts";
import type { IdleClock } from "../fetch/idle-clock.ts";

export class GossipResponse {
  readonly #request: HedgedRequest;
  readonly #clock: IdleClock;
  readonly #votes = new Set<string>();
  #hadVotes = false;

  constructor(request: HedgedRequest, clock: IdleClock) {
    this.#request = request;
    this.#clock = clock;
  }

  /** A vote that is the same as an earlier one of the same response brings nothing. */
  brought(hash: string, bytes: number): void {
    if (this.#votes.has(hash)) return;
    this.#votes.add(hash);
    this.#hadVotes = true;
    this.#request.brought(bytes, this.#clock.nowMs());
  }

  /** Whether there were any since this was last asked. */
  readonly hadVotes = (): boolean => {
    const had = this.#hadVotes;
    this.#hadVotes = false;
    return had;
  };
}
