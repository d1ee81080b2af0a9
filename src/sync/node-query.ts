/**
 * One node's turn: what it is to give, and how far it is. Planned, it is asked, request by request, until it
 * has given everything or failed; where others were faster, or nothing more is wanted, it is cancelled.
 */

import { ResponseProgress } from "./response-progress.ts";
import type { PlannedQuery } from "./strategy/algorithm-1.ts";
import type { AnswerSoFar } from "./throughput.ts";

/** Why we end a request ourselves; it stands in the record of the query. */
export type Cancellation = "overtaken" | "not needed";

type State =
  | { readonly kind: "planned" }
  | { readonly kind: "asking"; readonly requested: ReadonlySet<number>; readonly watch: ResponseProgress }
  | { readonly kind: "cancelled"; readonly why: Cancellation };

export class NodeQuery {
  readonly nodeIndex: number;
  readonly partitions: readonly number[];
  /** Whether it asks for what another node is giving too slowly. */
  readonly isOvertaking: boolean;
  /** How many partitions it has given that had the agreed hash. */
  verified = 0;
  readonly #ending = new AbortController();
  #state: State = { kind: "planned" };

  constructor({ nodeIndex, partitions }: PlannedQuery, isOvertaking: boolean) {
    this.nodeIndex = nodeIndex;
    this.partitions = partitions;
    this.isOvertaking = isOvertaking;
  }

  /** Aborted when the query is cancelled. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** `undefined` where it is not cancelled. */
  get cancellation(): Cancellation | undefined {
    return this.#state.kind === "cancelled" ? this.#state.why : undefined;
  }

  /** The answer that is under way. */
  get answer(): AnswerSoFar | undefined {
    return this.#state.kind === "asking" ? this.#state.watch.soFar : undefined;
  }

  /** Begins its next request. */
  ask(requested: ReadonlySet<number>, nowMs: () => number): ResponseProgress {
    this.#ending.signal.throwIfAborted();
    const watch = new ResponseProgress(nowMs);
    this.#state = { kind: "asking", requested, watch };
    return watch;
  }

  /** Ends it at once; a query that is cancelled already stays so. */
  cancel(why: Cancellation): void {
    if (this.#state.kind === "cancelled") return;
    this.#state = { kind: "cancelled", why };
    this.#ending.abort();
  }

  /**
   * Others have given some of what it was to give: it ends where nothing is left to hope for in its answer.
   *
   * @param held what it is giving, and is still wanted
   */
  overtaken(held: readonly number[]): void {
    const state = this.#state;
    const isHopedFor = (partition: number) =>
      state.kind !== "asking" || state.requested.has(partition) || !this.partitions.includes(partition);
    if (!held.some(isHopedFor)) this.cancel("overtaken");
  }
}
