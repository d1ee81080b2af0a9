/** Rows of the benchmarks' tables. */

import { print } from "./measure.ts";

/** A measurement beside its requirement and its aim. */
export interface BenchRow {
  readonly what: string;
  readonly atLeast: string | number;
  readonly aim: string | number;
  readonly measured: string | number;
  readonly note?: string;
}

export function printTable(table: readonly BenchRow[]): void {
  const columns = ["what", "atLeast", "aim", "measured"] as const;
  const head: BenchRow = { what: "what", atLeast: "at least", aim: "aim", measured: "measured" };
  const widths = columns.map((key) => Math.max(...[head, ...table].map((row) => String(row[key]).length)));
  for (const row of [head, ...table]) {
    const cells = columns.map((key, i) => String(row[key]).padEnd(widths[i] ?? 0));
    print(`| ${cells.join(" | ")} | ${row.note ?? ""}`);
  }
}

export function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
