/**
 * Counts the accounts in the text of an artifact that is read in chunks, and finds the first and the last ID. Accounts
 * are not parsed: the text before an account ID occurs nowhere else.
 */

import { COPY_PREFIX } from "../protocol/account-copy.ts";
import { ADDRESS_DIGITS } from "../protocol/address.ts";

const prefix = Buffer.from(COPY_PREFIX);

export class AccountIds {
  count = 0;
  first: string | undefined;
  last: string | undefined;
  /** The end of the text so far, in which a prefix may have begun. */
  #tail: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    // The text across two chunks is searched separately: joining whole chunks would copy everything.
    const seam = Buffer.concat([this.#tail, chunk.subarray(0, prefix.length - 1)]);
    this.#complete(chunk);
    this.#scan(seam, chunk, this.#tail.length);
    this.#scan(chunk, chunk, 0);
    const text = chunk.length >= prefix.length - 1 ? chunk : seam;
    this.#tail = Buffer.from(text.subarray(Math.max(0, text.length - prefix.length + 1)));
  }

  /** @param offset bytes of `text` before `chunk` */
  #scan(text: Buffer, chunk: Buffer, offset: number): void {
    let lastStart: number | undefined;
    for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + prefix.length)) {
      lastStart = at + prefix.length - offset;
      if (this.count++ === 0) this.first = idAt(chunk, lastStart);
    }
    if (lastStart !== undefined) this.last = idAt(chunk, lastStart);
  }

  /** Completes an ID that began in the previous chunk. */
  #complete(chunk: Buffer): void {
    if (this.first !== undefined) this.first += idRest(chunk, this.first);
    if (this.last !== undefined) this.last += idRest(chunk, this.last);
  }
}

function idAt(chunk: Buffer, start: number): string {
  return chunk.toString("latin1", start, start + ADDRESS_DIGITS);
}

function idRest(chunk: Buffer, begun: string): string {
  return chunk.toString("latin1", 0, Math.max(0, ADDRESS_DIGITS - begun.length));
}
