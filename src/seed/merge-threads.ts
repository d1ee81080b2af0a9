/**
 * Threads that complete partitions. Each performs one order at a time, so that a partition is read, hashed and written by
 * one core, beside the thread that has the sockets. A thread ends when it was idle for a while.
 */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import pLimit from "p-limit";
import type { Completion } from "../artifact/partition-endings.ts";
import { diskError } from "../errors/snapshot-error.ts";
import { mergeThreadIdleMs, mergeThreadPreparedMs, mergeThreadsMax } from "../limits/seed.ts";
import type { MergedList, MergeOrder } from "./merge-lists.ts";

export type MergeMessage = MergeOrder;

export type MergeReply =
  | { readonly kind: "merged"; readonly merged: MergedList }
  /** The base cannot be read, or is not a list of accounts. */
  | { readonly kind: "unusable"; readonly reason: string }
  | { readonly kind: "failed"; readonly message: string; readonly systemCode: string | undefined };

const workerUrl = new URL("../../dist/seed/merge-worker.js", import.meta.url);

const threadCount = Math.min(availableParallelism(), mergeThreadsMax);
const inTurn = pLimit(threadCount);

/** Threads without an order. */
const idle: MergeThread[] = [];

/** Starts the threads before the first order: a thread takes longer to start than to complete many a partition. */
export function prepareMergeThreads(): void {
  const missing = threadCount - inTurn.activeCount - idle.length;
  for (let started = 0; started < missing; started++) new MergeThread().rest(mergeThreadPreparedMs);
}

/**
 * Performs a merge in a thread; waits while all threads are busy.
 *
 * @throws SnapshotError `disk`
 */
export function mergeInThread(order: MergeOrder): Promise<Completion> {
  return inTurn(async () => {
    const thread = idle.pop() ?? new MergeThread();
    const reply = await thread.perform(order);
    switch (reply.kind) {
      case "merged":
        return { kind: "completed", ...reply.merged };
      case "unusable":
        return reply;
      case "failed":
        throw diskError(
          `cannot write ${order.path}`,
          Object.assign(new Error(reply.message), { code: reply.systemCode }),
        );
    }
  });
}

class MergeThread {
  readonly #worker = new Worker(workerUrl);
  #idle: NodeJS.Timeout | undefined;

  constructor() {
    // Without an order, its failure concerns nobody: the next order starts another thread.
    this.#worker.on("error", () => this.#leave());
  }

  async perform(order: MergeMessage): Promise<MergeReply> {
    clearTimeout(this.#idle);
    this.#worker.ref();
    const reply = await this.#replyTo(order);
    this.rest(mergeThreadIdleMs);
    return reply;
  }

  /** Keeps the thread for a while. */
  rest(ms: number): void {
    this.#worker.unref();
    idle.push(this);
    this.#idle = setTimeout(() => {
      this.#leave();
      void this.#worker.terminate();
    }, ms).unref();
  }

  #leave(): void {
    const place = idle.indexOf(this);
    if (place >= 0) idle.splice(place, 1);
  }

  #replyTo(order: MergeMessage): Promise<MergeReply> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      };
      const onMessage = (reply: MergeReply) => {
        settle();
        resolve(reply);
      };
      const onError = (error: unknown) => {
        settle();
        reject(error);
      };
      const onExit = (status: number) => onError(new Error(`a merge thread ended with status ${status}`));
      this.#worker.once("message", onMessage).once("error", onError).once("exit", onExit);
      this.#worker.postMessage(order);
    });
  }
}
