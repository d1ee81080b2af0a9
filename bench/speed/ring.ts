/**
 * Measures the bytes and requests of a run, and the time of a plan: `npm run bench:ring -- [accounts]`. Each cluster
 * has 20,000 accounts by default.
 */

import { machine, print } from "../measure.ts";
import { ringRows } from "./ring-rows.ts";

const rows = await ringRows(Number(process.argv[2] ?? 20_000));
for (const { what, atLeast, aim, measured, note } of rows) {
  print(`${what}\n  at most ${atLeast}, aim ${aim}, measured ${measured} (${note})`);
}
print(JSON.stringify({ machine, rows }));
