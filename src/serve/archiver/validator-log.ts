/** One line for each validator that received a range of accounts. */

import { loggedSilenceMs, loggedValidatorsMax } from "../../limits/serve-archiver.ts";
import { counted } from "../../text/counted.ts";

interface Progress {
  readonly validator: string;
  readonly range: string;
  pages: number;
  accounts: number;
  lastMs: number;
}

export interface ServedPage {
  readonly validator: string;
  readonly accountStart: string;
  readonly accountEnd: string;
  /** The number of accounts; a page without any ends the range. */
  readonly accounts: number;
}

/** Digits of addresses and keys that a line shows. */
const shownDigits = 8;

export class ValidatorLog {
  readonly #log: (line: string) => void;
  /** By validator and range, the longest silent one first. */
  readonly #inProgress = new Map<string, Progress>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  add({ validator, accountStart, accountEnd, accounts }: ServedPage, nowMs: number): void {
    const range = `${accountStart.slice(0, shownDigits)}–${accountEnd.slice(0, shownDigits)}`;
    const key = `${validator} ${accountStart} ${accountEnd}`;
    const progress = this.#inProgress.get(key) ?? { validator, range, pages: 0, accounts: 0, lastMs: nowMs };
    this.#inProgress.delete(key);
    progress.pages++;
    progress.accounts += accounts;
    progress.lastMs = nowMs;
    if (accounts === 0) this.#end(progress, "complete");
    else this.#inProgress.set(key, progress);
    this.sweep(nowMs);
  }

  /** Ends the ranges of validators that have been silent. */
  sweep(nowMs: number): void {
    for (const [key, progress] of this.#inProgress) {
      const isSilent = nowMs - progress.lastMs > loggedSilenceMs;
      if (!isSilent && this.#inProgress.size <= loggedValidatorsMax) return;
      this.#inProgress.delete(key);
      this.#end(progress, "not requested to its end");
    }
  }

  /** Ends all ranges. */
  close(): void {
    for (const progress of this.#inProgress.values()) this.#end(progress, "not requested to its end");
    this.#inProgress.clear();
  }

  #end({ validator, range, pages, accounts }: Progress, how: string): void {
    const received = `${counted(accounts, "account")} in ${counted(pages, "page")}`;
    this.#log(`validator ${validator.slice(0, shownDigits)}: range ${range}, ${received}, ${how}`);
  }
}
