/** The snapshots that a server serves. They are compared with what was verified all the time. */

import { HttpError } from "../http-server/http-error.ts";
import { serveCheckMs, serveCheckPauseMs } from "../limits/serve.ts";
import type { ServedSnapshot } from "./served-snapshot.ts";

export class SnapshotSet {
  /** The oldest first. */
  readonly all: readonly ServedSnapshot[];
  readonly #byName: ReadonlyMap<string, ServedSnapshot>;
  #checking: Promise<void> | undefined;
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(snapshots: readonly ServedSnapshot[]) {
    this.all = snapshots.toSorted((a, b) => a.facts.timestamp - b.facts.timestamp);
    this.#byName = new Map(this.all.map((snapshot) => [snapshot.name, snapshot]));
  }

  /** The newest snapshot. */
  get newest(): ServedSnapshot | undefined {
    return this.all.at(-1);
  }

  /** @throws HttpError 404 */
  named(name: string): ServedSnapshot {
    const snapshot = this.#byName.get(name);
    if (snapshot === undefined) throw new HttpError(404, `no snapshot ${name}`);
    return snapshot;
  }

  /** @throws HttpError 404 */
  at(timestamp: number): ServedSnapshot {
    const snapshot = this.all.find(({ facts }) => facts.timestamp === timestamp);
    if (snapshot === undefined) throw new HttpError(404, `no snapshot of ${timestamp}`);
    return snapshot;
  }

  /** Begins to compare the files regularly. */
  watch(): void {
    this.#timer ??= setInterval(() => void this.check(), serveCheckMs).unref();
  }

  unwatch(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Compares all files with what was verified, unless that was done a moment ago. */
  async check(): Promise<void> {
    if (this.#checking === undefined && performance.now() - this.#checkedAtMs < serveCheckPauseMs) return;
    this.#checking ??= this.#checkAll().finally(() => {
      this.#checking = undefined;
      this.#checkedAtMs = performance.now();
    });
    await this.#checking;
  }

  async #checkAll(): Promise<void> {
    for (const snapshot of this.all) await snapshot.check();
  }
}
