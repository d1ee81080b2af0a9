/** Checks signatures on other threads, a few at once, in turns by address: to make one up costs next to nothing. */

import {
  signatureChecksAtOnce,
  signaturesWaitingMax,
  signaturesWaitingPerAddressMax,
} from "../model/limits.ts";
import { isSignedByAsync } from "../model/signature.ts";
import { FairQueue } from "./fair-queue.ts";

interface Waiting {
  readonly value: object;
  readonly settle: (isSigned: boolean) => void;
}

export class SignatureDesk {
  readonly #hashKey: string;
  readonly #queue = new FairQueue<Waiting>();
  #checking = 0;

  constructor(hashKey: string) {
    this.#hashKey = hashKey;
  }

  /** Whether the object is signed; `undefined` where too much waits already. */
  check(value: object, address: string): Promise<boolean> | undefined {
    const isFull = this.#queue.size >= signaturesWaitingMax;
    if (isFull || this.#queue.sizeOf(address) >= signaturesWaitingPerAddressMax) return undefined;
    const checked = new Promise<boolean>((settle) => this.#queue.push({ value, settle }, address));
    this.#next();
    return checked;
  }

  #next(): void {
    while (this.#checking < signatureChecksAtOnce) {
      const waiting = this.#queue.shift();
      if (waiting === undefined) return;
      this.#checking++;
      void this.#run(waiting);
    }
  }

  async #run({ value, settle }: Waiting): Promise<void> {
    settle(await isSignedByAsync(value, this.#hashKey));
    this.#checking--;
    this.#next();
  }
}
