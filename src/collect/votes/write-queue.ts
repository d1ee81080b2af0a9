/**
 * Commits messages in batches. A commit waits for the disk, so that one for each message would limit the collector to a
 * few hundred a second.
 */

import { commitBatchBytesMax, commitBatchMax, commitDelayMs } from "../../limits/collect.ts";
import type { SaveOutcome } from "../../store/hash-database/hash-database.ts";

interface Waiting<T> {
  readonly message: T;
  readonly settle: (outcome: SaveOutcome) => void;
  readonly fail: (error: unknown) => void;
}

export class WriteQueue<T extends { readonly text: string }> {
  readonly #commit: (messages: readonly T[]) => readonly SaveOutcome[];
  #waiting: Waiting<T>[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param commit stores all of them, or throws */
  constructor(commit: (messages: readonly T[]) => readonly SaveOutcome[]) {
    this.#commit = commit;
  }

  /** Resolves to the outcome of the message, once it is on the disk. */
  add(message: T): Promise<SaveOutcome> {
    const saved = new Promise<SaveOutcome>((settle, fail) => this.#waiting.push({ message, settle, fail }));
    this.#bytes += message.text.length;
    if (this.#waiting.length >= commitBatchMax || this.#bytes >= commitBatchBytesMax) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), commitDelayMs);
    return saved;
  }

  /** Commits the queue now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    if (batch.length === 0) return;
    try {
      const outcomes = this.#commit(batch.map(({ message }) => message));
      for (const [index, { settle }] of batch.entries()) settle(outcomes[index] ?? "known");
    } catch (error) {
      for (const { fail } of batch) fail(error);
    }
  }
}
