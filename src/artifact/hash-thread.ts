/**
 * Hashing in a thread of its own, beside the one that has the sockets: a hash that has much to do goes on
 * there from where it is. There is one thread, which is started when there is much to hash for the first
 * time, and ends when nobody has hashed for a while.
 */

import { Worker } from "node:worker_threads";
import { hashThreadIdleMs } from "../limits/disk.ts";
import type { RunningHash } from "../protocol/crypto/hash.ts";

export interface HashOrder {
  readonly kind: "begin" | "update" | "digest" | "forget";
  /** Of the hash that it is about. */
  readonly id: number;
  /** What is hashed; for `begin`, the state that it begins with. */
  readonly bytes: Uint8Array;
}

export interface HashAnswer {
  readonly digest: string | undefined;
}

interface Waiting {
  readonly resolve: (answer: HashAnswer) => void;
  readonly reject: (error: unknown) => void;
}

const workerUrl = new URL("../../dist/artifact/hash-worker.js", import.meta.url);
const nothing = new Uint8Array(0);

export class HashThread {
  static #shared: HashThread | undefined;
  readonly #worker: Worker;
  /** Answers come in the order of the orders. */
  readonly #waiting: Waiting[] = [];
  #isReady = false;
  #hashes = 0;
  #hashesEver = 0;
  #idle: NodeJS.Timeout | undefined;
  #failure: unknown;

  constructor(url: URL = workerUrl) {
    this.#worker = new Worker(url);
    this.#worker.on("message", (answer: HashAnswer) => this.#take(answer));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (status) => this.#fail(new Error(`the hash thread ended with status ${status}`)));
  }

  /** The thread of this process, which may only just be starting. */
  static shared(): HashThread {
    HashThread.#shared ??= new HashThread();
    return HashThread.#shared;
  }

  /** Goes on with a hash in the thread; `undefined` where the thread is not there yet. */
  adopt(hash: RunningHash): ThreadHash | undefined {
    if (!this.#isReady || this.#failure !== undefined) return undefined;
    clearTimeout(this.#idle);
    this.#hashes++;
    return new ThreadHash(this, this.#hashesEver++, hash.state);
  }

  order(order: HashOrder): Promise<HashAnswer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // As long as somebody waits, the process must not end.
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(order);
    });
  }

  /** One hash less is gone on with. */
  leave(): void {
    if (--this.#hashes > 0) return;
    this.#idle = setTimeout(() => {
      if (HashThread.#shared === this) HashThread.#shared = undefined;
      void this.#worker.terminate();
    }, hashThreadIdleMs).unref();
  }

  /** The first answer is to no order, and says that the thread is there. */
  #take(answer: HashAnswer): void {
    if (this.#isReady) this.#waiting.shift()?.resolve(answer);
    this.#isReady = true;
    if (this.#waiting.length === 0) this.#worker.unref();
  }

  /** Whoever waits is told, and whoever comes later: the hashes that were there are lost. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    if (HashThread.#shared === this) HashThread.#shared = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

/** A hash that goes on in the thread. An error of it is the thread's end, which is a defect. */
export class ThreadHash {
  readonly #thread: HashThread;
  readonly #id: number;
  #begun: Promise<unknown>;

  constructor(thread: HashThread, id: number, state: Uint8Array) {
    this.#thread = thread;
    this.#id = id;
    this.#begun = this.#order("begin", state);
    this.#begun.catch(() => undefined); // whoever updates it is told as well
  }

  /** @param bytes in shared memory, where they stay as they are until the promise is fulfilled, or copied */
  async update(bytes: Uint8Array): Promise<void> {
    await this.#order("update", bytes);
  }

  /** The hash of all bytes so far and these: 64 hex digits. */
  async digestWith(bytes: Uint8Array): Promise<string> {
    const { digest } = await this.#order("digest", bytes);
    if (digest === undefined) throw new Error("the hash thread has answered another order");
    return digest;
  }

  /** Lets go of it, once. */
  forget(): void {
    this.#thread.leave();
    this.#order("forget", nothing).catch(() => undefined); // with the thread, it is gone as well
  }

  #order(kind: HashOrder["kind"], bytes: Uint8Array): Promise<HashAnswer> {
    return this.#thread.order({ kind, id: this.#id, bytes });
  }
}
