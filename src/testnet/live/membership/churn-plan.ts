/** Changes of the nodes without end, from a seed: every few cycles, one validator joins, leaves or dies. */

import type { Cycle } from "../../../protocol/brands.ts";
import { Random } from "../../state/random.ts";
import type { ChangeKind, MembershipPlan, PlannedChange } from "./planned-change.ts";

/** The number of nodes stays this near to that of the beginning: by a quarter of it, but by one at least. */
const nodesVariation = 1 / 4;

/** A dead validator keeps its votes until it is removed. Of fewer nodes than this, it would be half of a majority. */
const nodesWithDeathsMin = 4;

export class ChurnPlan implements MembershipPlan {
  readonly #random: Random;
  readonly #every: number;
  readonly #nodesMin: number;
  readonly #nodesMax: number;
  readonly #validators: number[];
  #next: number;

  /** @param every the number of cycles from one change to the next */
  constructor({
    seed,
    nodes,
    every,
  }: { readonly seed: string; readonly nodes: number; readonly every: number }) {
    const variation = Math.max(1, Math.floor(nodes * nodesVariation));
    this.#random = Random.named(seed, "churn");
    this.#every = every;
    this.#nodesMin = Math.max(1, nodes - variation);
    this.#nodesMax = nodes + variation;
    this.#validators = Array.from({ length: nodes }, (_, number) => number);
    this.#next = nodes;
  }

  changesAt(cycle: Cycle): PlannedChange[] {
    if (cycle % this.#every !== 0) return [];
    const kind = this.#kind();
    return [{ kind, validator: kind === "join" ? this.#added() : this.#taken(), cycle }];
  }

  #kind(): ChangeKind {
    const { length } = this.#validators;
    const isJoin = this.#random.below(2) === 0;
    const isDeath = this.#random.below(2) === 0;
    if (length <= this.#nodesMin || (isJoin && length < this.#nodesMax)) return "join";
    return isDeath && length >= nodesWithDeathsMin ? "kill" : "leave";
  }

  #added(): number {
    this.#validators.push(this.#next);
    return this.#next++;
  }

  #taken(): number {
    const [validator = 0] = this.#validators.splice(this.#random.below(this.#validators.length), 1);
    return validator;
  }
}
