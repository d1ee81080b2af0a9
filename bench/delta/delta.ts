/**
 * Measures runs with seeds, and responses that break off: `npm run bench:delta -- [megabytes]`. The times are of states
 * with 400 MB by default and of five times as much, and take 12 GB of disk; the bytes are of a tenth.
 */

import { loadavg } from "node:os";
import { printTable } from "../bench-row.ts";
import { machine, print } from "../measure.ts";
import { deltaRows } from "./delta-rows.ts";

const megabytes = Number(process.argv[2] ?? 400);

print(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${loadavg().join(", ")}`);
const rows = await deltaRows({ bytes: megabytes / 10, times: [megabytes, 5 * megabytes] });
printTable(rows);
print(JSON.stringify({ machine, rows }));
