/** How many bytes a run may receive from peers that are all honest and send just what is requested. */

import { brokenDeltasMax } from "../limits/seed.ts";
import type { Partition } from "../protocol/brands.ts";
import type { Scenario } from "./scenario.ts";
import { bytesOf, slots } from "./virtual-list.ts";

/** Received beyond what is enough: a share, and some bytes that rounding adds. */
const excessMax = 1.1;
const roundingBytes = 10_000;

/** A response that a peer breaks off. */
export interface BrokenResponse {
  readonly partitions: readonly Partition[];
  readonly isDelta: boolean;
  /** What neither a commit nor a beginning keeps. */
  readonly lostBytesMax: number;
}

export class IdealBytes {
  readonly #scenario: Scenario;
  /** What responses that broke off may have lost. */
  #lostBytes = 0;
  /** Partition → how many deltas of it may have broken off. */
  readonly #brokenDeltas = new Map<Partition, number>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  cut({ partitions, isDelta, lostBytesMax }: BrokenResponse): void {
    this.#lostBytes += lostBytesMax;
    if (!isDelta) return;
    for (const partition of partitions) {
      const count = (this.#brokenDeltas.get(partition) ?? 0) + 1;
      this.#brokenDeltas.set(partition, count);
      // Then the partition is sent whole.
      if (count === brokenDeltasMax) this.#lostBytes += this.#scenario.sizes.get(partition) ?? 0;
    }
  }

  /** `undefined` where peers may send more for reasons of their own. */
  get bytesMax(): number | undefined {
    const { peers, mirrors, missing, diskBytes, bases } = this.#scenario;
    const isCalm = peers.every(
      ({ behaviour, knowsRanges, delta }) => behaviour.kind === "honest" && knowsRanges && delta === "knows",
    );
    // A mirror sends no changes.
    if (!isCalm || mirrors.length > 0 || diskBytes < Number.MAX_SAFE_INTEGER) return undefined;
    // After a wrong beginning, every peer continues its own, and what others broke off is lost.
    const isPoisoned = [...bases.values()].flat().some(({ list }) => list.wrong !== undefined);
    if (isPoisoned && this.#lostBytes > 0) return undefined;
    let bytes = 0;
    for (const partition of missing) bytes += this.#bytesFor(partition);
    return excessMax * bytes + this.#lostBytes + roundingBytes;
  }

  /** Bases are used one after the other, until one is right; without one, the partition is sent whole. */
  #bytesFor(partition: Partition): number {
    const size = this.#scenario.sizes.get(partition) ?? 0;
    let bytes = 0;
    for (const { list } of this.#scenario.bases.get(partition) ?? []) {
      const { from, to, changed, kind, wrong } = list;
      bytes += kind === "older" ? bytesOf(size, { from, to, kind: "delta", changed: changed ?? 1 }) : 0;
      if (kind === "whole") bytes += bytesOf(size, { from: to, to: slots });
      if (wrong === undefined) return bytes;
    }
    return bytes + size;
  }
}
