/** The nodes that are still to be queried: first those that were not queried yet, then retries. */

import type { ActiveNode } from "../../protocol/node.ts";

export interface RetryBounds {
  /** Requests to one node. */
  readonly attemptsMax: number;
  readonly pauseMs: number;
}

interface Retry {
  readonly node: ActiveNode;
  readonly afterMs: number;
}

export class NodeQueue {
  readonly #fresh: ActiveNode[];
  readonly #bounds: RetryBounds;
  readonly #retries: Retry[] = [];
  readonly #attempts = new Map<string, number>();

  /** @param nodes in the order of their requests */
  constructor(nodes: readonly ActiveNode[], bounds: RetryBounds) {
    this.#fresh = [...nodes];
    this.#bounds = bounds;
  }

  /** How many nodes are left, those whose retry is not due yet included. */
  get size(): number {
    return this.#fresh.length + this.#retries.length;
  }

  /** Removes and returns the next node: the first that is preferred, else the first; then a retry that is due. */
  take(
    isPreferred: (node: ActiveNode) => boolean,
    nowMs: number,
  ): { readonly node: ActiveNode; readonly isFirst: boolean } | undefined {
    const isFirst = this.#fresh.length > 0;
    const node = isFirst ? this.#takeFresh(isPreferred) : this.#takeRetry(nowMs);
    if (node === undefined) return undefined;
    this.#attempts.set(node.id, (this.#attempts.get(node.id) ?? 0) + 1);
    return { node, isFirst };
  }

  /** Queues a node again, after a pause, unless it has had all its attempts. */
  retry(node: ActiveNode, nowMs: number): void {
    if ((this.#attempts.get(node.id) ?? 0) >= this.#bounds.attemptsMax) return;
    this.#retries.push({ node, afterMs: nowMs + this.#bounds.pauseMs });
  }

  #takeFresh(isPreferred: (node: ActiveNode) => boolean): ActiveNode | undefined {
    return this.#fresh.splice(Math.max(this.#fresh.findIndex(isPreferred), 0), 1)[0];
  }

  #takeRetry(nowMs: number): ActiveNode | undefined {
    const due = this.#retries.findIndex(({ afterMs }) => afterMs <= nowMs);
    return due < 0 ? undefined : this.#retries.splice(due, 1)[0]?.node;
  }
}
