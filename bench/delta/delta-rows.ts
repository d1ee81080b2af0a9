/** All rows of the benchmark of deltas. */

import type { BenchRow } from "../bench-row.ts";
import { byteRows } from "./byte-rows.ts";
import { timeRows } from "./time-rows.ts";

/** The sizes of the states in megabytes. */
export interface DeltaSizes {
  /** For the rows of bytes and requests, which do not depend on it. */
  readonly bytes: number;
  readonly times: readonly number[];
}

/** States of more megabytes take fewer rounds. */
const manyMegabytes = 1000;

export async function deltaRows({ bytes, times }: DeltaSizes): Promise<BenchRow[]> {
  const measured = [await byteRows(bytes)];
  for (const megabytes of times) {
    measured.push(await timeRows({ megabytes, rounds: megabytes > manyMegabytes ? 3 : 5 }));
  }
  const peakBytes = Math.max(...measured.map((one) => one.peakBytes));
  return [
    ...measured.flatMap(({ rows }) => rows),
    {
      what: "peak memory of all these runs",
      atLeast: "≤ 160 MB",
      aim: "",
      measured: `${Math.round(peakBytes / 1e6)} MB`,
      note: measured.map((one) => `${Math.round(one.peakBytes / 1e6)} MB`).join(", "),
    },
  ];
}
