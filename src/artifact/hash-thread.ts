/**
 * Hashes in a thread of its own, so that the thread with the sockets is free. A long hash continues there from its
 * current state. There is one hash thread: it starts with the first long hash, and ends after it has been idle for a
 * while.
 */

import { Worker } from "node:worker_threads";
import { hashThreadIdleMs } from "../limits/disk.ts";
import type { HashHex } from "../protocol/brands.ts";
import type { RunningHash } from "../protocol/crypto/hash.ts";

export interface HashRequest {
  readonly kind: "begin" | "update" | "digest" | "forget";
  /** Which hash. */
  readonly id: number;
  /** What is hashed; for `begin`, the state to continue from. */
  readonly bytes: Uint8Array;
}

export interface HashReply {
  readonly digest: HashHex | undefined;
}

interface Waiting {
  readonly resolve: (reply: HashReply) => void;
  readonly reject: (error: unknown) => void;
}

const workerUrl = new URL("../../dist/artifact/hash-worker.js", import.meta.url);
const nothing = new Uint8Array(0);

export class HashThread {
  static #shared: HashThread | undefined;
  readonly #worker: Worker;
  /** Replies arrive in the order of the requests. */
  readonly #waiting: Waiting[] = [];
  #isReady = false;
  #hashes = 0;
  #hashesEver = 0;
  #idle: NodeJS.Timeout | undefined;
  #failure: unknown;

  constructor(url: URL = workerUrl) {
    this.#worker = new Worker(url);
    this.#worker.on("message", (reply: HashReply) => this.#take(reply));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (status) => this.#fail(new Error(`the hash thread ended with status ${status}`)));
  }

  /** The thread of this process, which may still be starting. */
  static shared(): HashThread {
    HashThread.#shared ??= new HashThread();
    return HashThread.#shared;
  }

  /** Continues a hash in the thread; `undefined` if the thread has not started yet. */
  adopt(hash: RunningHash): ThreadHash | undefined {
    if (!this.#isReady || this.#failure !== undefined) return undefined;
    clearTimeout(this.#idle);
    this.#hashes++;
    return new ThreadHash(this, this.#hashesEver++, hash.state);
  }

  request(request: HashRequest): Promise<HashReply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // The process must not end while a request is pending.
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  /** Called when a hash no longer continues in the thread. */
  leave(): void {
    if (--this.#hashes > 0) return;
    this.#idle = setTimeout(() => {
      if (HashThread.#shared === this) HashThread.#shared = undefined;
      void this.#worker.terminate();
    }, hashThreadIdleMs).unref();
  }

  /** The first reply belongs to no request: it reports that the thread has started. */
  #take(reply: HashReply): void {
    if (this.#isReady) this.#waiting.shift()?.resolve(reply);
    this.#isReady = true;
    if (this.#waiting.length === 0) this.#worker.unref();
  }

  /** Fails all pending and later requests: the hashes in the thread are lost. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    if (HashThread.#shared === this) HashThread.#shared = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

/** A hash that continues in the thread. An error terminates the thread; that is a bug. */
export class ThreadHash {
  readonly #thread: HashThread;
  readonly #id: number;
  #begun: Promise<unknown>;

  constructor(thread: HashThread, id: number, state: Uint8Array) {
    this.#thread = thread;
    this.#id = id;
    this.#begun = this.#request("begin", state);
    this.#begun.catch(() => undefined); // the next update fails as well
  }

  /** @param bytes in shared memory, which must not change until the promise is fulfilled, or a copy */
  async update(bytes: Uint8Array): Promise<void> {
    await this.#request("update", bytes);
  }

  /** Returns the hash of all bytes so far and these. The hash itself does not change. */
  async digestWith(bytes: Uint8Array): Promise<HashHex> {
    const { digest } = await this.#request("digest", bytes);
    if (digest === undefined) throw new Error("the hash thread replied to another request");
    return digest;
  }

  /** Releases the hash. Must be called once. */
  forget(): void {
    this.#thread.leave();
    this.#request("forget", nothing).catch(() => undefined); // the end of the thread releases it as well
  }

  #request(kind: HashRequest["kind"], bytes: Uint8Array): Promise<HashReply> {
    return this.#thread.request({ kind, id: this.#id, bytes });
  }
}
