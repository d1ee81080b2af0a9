/** Writes the list of a completed partition, and hashes it on the way. Synchronous: it runs in a thread of its own. */

import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { HashHex } from "../protocol/brands.ts";
import { RunningHash } from "../protocol/crypto/hash.ts";
import { FILE_MODE } from "../store/own-files.ts";
import { giveBack, takeBuffer } from "./spare-buffers.ts";

const { O_CREAT, O_EXCL, O_WRONLY } = constants;

const OPEN_LIST = 0x5b;
const COMMA = 0x2c;
const CLOSE_LIST = 0x5d;

export class ListWriter {
  readonly #descriptor: number;
  readonly #hash: RunningHash;
  readonly #buffer = takeBuffer();
  #pending = 0;
  #written = 0;
  #accounts = 0;

  /** @throws an error of the file system, also if the file exists */
  constructor(path: string, hashKey: string) {
    this.#descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE);
    this.#hash = new RunningHash(hashKey);
  }

  get accounts(): number {
    return this.#accounts;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#written + this.#pending;
  }

  /** @param copies with commas between them, if there are several */
  append(copies: Buffer, count: number): void {
    this.#byte(this.#accounts === 0 ? OPEN_LIST : COMMA);
    this.#accounts += count;
    if (copies.length > this.#buffer.length - this.#pending) this.#flush();
    if (copies.length > this.#buffer.length) this.#write(copies);
    else this.#pending += copies.copy(this.#buffer, this.#pending);
  }

  /** Ends the list and the file; returns its hash. */
  close(): HashHex {
    if (this.#accounts === 0) this.#byte(OPEN_LIST);
    this.#byte(CLOSE_LIST);
    this.#flush();
    const hash = this.#hash.digest();
    this.abandon();
    return hash;
  }

  /** Closes the file as it is; called once. */
  abandon(): void {
    giveBack(this.#buffer);
    closeSync(this.#descriptor);
  }

  #byte(byte: number): void {
    if (this.#pending === this.#buffer.length) this.#flush();
    this.#buffer[this.#pending++] = byte;
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#pending));
    this.#pending = 0;
  }

  #write(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#written += bytes.length;
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
  }
}
