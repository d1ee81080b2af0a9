/**
 * The fast way from records to copies: WebAssembly that is built from `assembly/`, where its rules stand. It
 * is exact: what it does not copy as the plain way does, it refuses.
 */

import { readFileSync } from "node:fs";
import type { Shard } from "../protocol/shard.ts";
import type { CopyRun } from "./copy-run.ts";

/** Why the engine stopped: behind a record, before one that it leaves to the plain way, or before one that
 *  goes on behind the end of what it was given. */
export type Ending = "after-record" | "refused" | "incomplete";

const endings: readonly Ending[] = ["after-record", "refused", "incomplete"];

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly input: { readonly value: number };
  readonly inputBytes: { readonly value: number };
  readonly rows: { readonly value: number };
  readonly ending: { readonly value: number };
  readonly runs: { readonly value: number };
  readonly setShard: (partitionSize: number, numNodes: number) => void;
  readonly copyRecords: (from: number, end: number) => number;
}

/** A run is six numbers in a row: partition, copies, begin, end of the first, begin of the last, end. */
const ROW_NUMBERS = 6;

const moduleUrl = new URL("../../dist/canonical/records.wasm", import.meta.url);
let module: WebAssembly.Module | undefined;

/** Engines that nobody uses: their memory is not given back at once, so it is used again. */
const idle: FastPath[] = [];

export class FastPath {
  /** Where records are put that are to be copied. */
  readonly input: Buffer;
  readonly #exports: Exports;
  readonly #inputAt: number;
  readonly #memory: Buffer;
  readonly #rows: Int32Array;

  private constructor() {
    module ??= new WebAssembly.Module(readFileSync(moduleUrl));
    const { exports } = new WebAssembly.Instance(module);
    this.#exports = exports as unknown as Exports;
    const { memory, input, inputBytes, rows } = this.#exports;
    this.#inputAt = input.value;
    this.#memory = Buffer.from(memory.buffer);
    this.input = this.#memory.subarray(input.value, input.value + inputBytes.value);
    this.#rows = new Int32Array(memory.buffer, rows.value);
  }

  /** An engine for one answer, which is to be given back. */
  static take(shard: Shard): FastPath {
    const engine = idle.pop() ?? new FastPath();
    engine.#exports.setShard(shard.partitionSize, shard.numNodes);
    return engine;
  }

  giveBack(): void {
    idle.push(this);
  }

  /**
   * Copies records of the input. Its runs are good until it is called again.
   *
   * @param from where the brace of the first record is
   * @returns where it stopped: behind a record, or at the brace of one that it did not copy
   */
  copy(from: number, end: number): { stoppedAt: number; ending: Ending } {
    const stoppedAt = this.#exports.copyRecords(this.#inputAt + from, this.#inputAt + end) - this.#inputAt;
    return { stoppedAt, ending: endings[this.#exports.ending.value] as Ending };
  }

  *runs(): Generator<CopyRun, void, void> {
    const rows = this.#rows;
    const end = this.#exports.runs.value * ROW_NUMBERS;
    for (let row = 0; row < end; row += ROW_NUMBERS) {
      const start = rows[row + 2] as number;
      yield {
        partition: rows[row] as number,
        count: rows[row + 1] as number,
        bytes: this.#memory.subarray(start, rows[row + 5]),
        firstEnd: (rows[row + 3] as number) - start,
        lastStart: (rows[row + 4] as number) - start,
      };
    }
  }
}
