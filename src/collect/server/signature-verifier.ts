/** Checks signatures on other threads, a few at once, in turns by address prefix: a forged one costs its sender nothing. */

import type { Candidate } from "../../agreement/admission/admission.ts";
import { addressPrefix } from "../../http-server/address-prefix.ts";
import {
  signatureChecksAtOnce,
  signaturesWaitingBytesMax,
  signaturesWaitingBytesPerPrefixMax,
  signaturesWaitingMax,
  signaturesWaitingPerPrefixMax,
} from "../../limits/collect.ts";
import { type Sign, signatureHoldsAsync } from "../../protocol/crypto/signature.ts";
import { FairQueue } from "./fair-queue.ts";

interface Waiting {
  readonly sign: Sign;
  readonly settle: (isSigned: boolean) => void;
}

/** Memory of an entry of a map, beside its text. */
const bytesPerHash = 200;

export class SignatureVerifier {
  readonly #queue = new FairQueue<Waiting>();
  /** Address prefix → memory of its messages whose signatures are being checked, or wait for it. */
  readonly #bytes = new Map<string, number>();
  #bytesTotal = 0;
  #checking = 0;

  /** Returns whether the candidate is signed; `undefined` if too many are waiting. */
  check(candidate: Candidate, address: string): Promise<boolean> | undefined {
    const bytes = bytesOf(candidate);
    const prefix = addressPrefix(address);
    const ofPrefix = this.#bytes.get(prefix) ?? 0;
    const isFull =
      this.#queue.size >= signaturesWaitingMax || this.#bytesTotal + bytes > signaturesWaitingBytesMax;
    const isFullOfPrefix =
      this.#queue.sizeOf(address) >= signaturesWaitingPerPrefixMax ||
      (ofPrefix > 0 && ofPrefix + bytes > signaturesWaitingBytesPerPrefixMax);
    if (isFull || isFullOfPrefix) return undefined;
    this.#bytes.set(prefix, ofPrefix + bytes);
    this.#bytesTotal += bytes;
    const checked = new Promise<boolean>((resolve) => {
      const settle = (isSigned: boolean) => {
        this.#release(prefix, bytes);
        resolve(isSigned);
      };
      this.#queue.push({ sign: candidate.sign, settle }, address);
    });
    this.#next();
    return checked;
  }

  #release(prefix: string, bytes: number): void {
    this.#bytesTotal -= bytes;
    const left = (this.#bytes.get(prefix) ?? bytes) - bytes;
    if (left > 0) this.#bytes.set(prefix, left);
    else this.#bytes.delete(prefix);
  }

  #next(): void {
    while (this.#checking < signatureChecksAtOnce) {
      const waiting = this.#queue.shift();
      if (waiting === undefined) return;
      this.#checking++;
      void this.#run(waiting);
    }
  }

  async #run({ sign, settle }: Waiting): Promise<void> {
    settle(await signatureHoldsAsync(sign));
    this.#checking--;
    this.#next();
  }
}

function bytesOf({ claim }: Candidate): number {
  return claim.kind === "new" ? claim.vote.text.length + bytesPerHash * claim.vote.hashes.size : bytesPerHash;
}
