/**
 * The fast path from records to copies: WebAssembly that is built from `assembly/`, which contains its rules. It is
 * exact: it refuses every record that it cannot copy exactly as the slow path does.
 */

import { readFileSync } from "node:fs";
import { asPartition } from "../protocol/brands.ts";
import type { Shard } from "../protocol/shard.ts";
import type { CopyRun } from "./copy-run.ts";

/** Where it stopped: after a record, before one for the slow path, or before one that continues after the end of the
 *  input. */
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

/** A run is a row of six numbers: partition, copies, begin, end of the first, begin of the last, end. */
const ROW_NUMBERS = 6;

const moduleUrl = new URL("../../dist/canonical/records.wasm", import.meta.url);
let module: WebAssembly.Module | undefined;

/** Instances that are not in use. They are reused, because the system reclaims their memory late. */
const idle: FastPath[] = [];

export class FastPath {
  /** The memory into which the caller writes the records. */
  readonly input: Buffer;
  readonly #exports: Exports;
  readonly #inputAt: number;
  readonly #memory: Buffer;
  readonly #rows: Int32Array;

  private constructor() {
    module ??= new WebAssembly.Module(readFileSync(moduleUrl));
    const { exports } = new WebAssembly.Instance(module);
    // A module states neither the names of its exports nor the types of their parameters: `assembly/` determines these.
    this.#exports = exports as unknown as Exports;
    const { memory, input, inputBytes, rows } = this.#exports;
    this.#inputAt = input.value;
    this.#memory = Buffer.from(memory.buffer);
    this.input = this.#memory.subarray(input.value, input.value + inputBytes.value);
    this.#rows = new Int32Array(memory.buffer, rows.value);
  }

  /** Returns an instance for one response, which must be given back. */
  static take(shard: Shard): FastPath {
    const instance = idle.pop() ?? new FastPath();
    instance.#exports.setShard(shard.partitionSize, shard.numNodes);
    return instance;
  }

  giveBack(): void {
    idle.push(this);
  }

  /**
   * Copies records of the input. Its runs are valid until the next call.
   *
   * @param from the brace of the first record
   * @returns where it stopped: after a record, or at the brace of a record that it did not copy
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
        partition: asPartition(rows[row] as number),
        count: rows[row + 1] as number,
        bytes: this.#memory.subarray(start, rows[row + 5]),
        firstEnd: (rows[row + 3] as number) - start,
        lastStart: (rows[row + 4] as number) - start,
      };
    }
  }
}
