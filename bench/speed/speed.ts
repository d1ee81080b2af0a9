/**
 * Measures the speed of an assembly: `npm run bench -- [megabytes]`. It takes half an hour and 12 GB of disk, and wants
 * two quiet cores.
 *
 * Prints a table of requirements, aims and measurements: medians of five rounds, in each of which every contender runs
 * once. Prints all times before, so that outliers show, and JSON with the machine on the last line. The state has
 * 200 MB by default; others have twice and ten times as much.
 */

import { type BenchRow, printTable } from "../bench-row.ts";
import { deltaRows } from "../delta/delta-rows.ts";
import { machine, print } from "../measure.ts";
import { type Contender, type ContestResult, medianOf, runContest } from "./contenders.ts";
import { ringRows } from "./ring-rows.ts";

const megabytes = Number(process.argv[2] ?? 200);
const all: Contender[] = ["curl", "plain", "ours"];
/** Without the baseline, which holds the whole state in memory several times. */
const large: Contender[] = ["curl", "ours"];

print(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
const results = {
  small: await runContest({ megabytes, form: "canonical", nodes: 9 }, all),
  canonical: await runContest({ megabytes: 2 * megabytes, form: "canonical", nodes: 9 }, all),
  unsorted: await runContest({ megabytes: 2 * megabytes, form: "unsorted", nodes: 9 }, all),
  large: await runContest({ megabytes: 10 * megabytes, form: "canonical", nodes: 9 }, large),
  manyNodes: await runContest({ megabytes, form: "canonical", nodes: 90 }, large),
};

const rows: BenchRow[] = [
  ...[results.small, results.canonical, results.unsorted, results.large].map((result) => ({
    what: `ours ÷ (curl | b2sum), ${nameOf(result)}`,
    atLeast: "≤ 3.0",
    aim: "1.5",
    measured: ratio(result, "ours", "curl"),
  })),
  ...[results.small, results.canonical, results.unsorted].map((result) => ({
    what: `baseline ÷ ours, ${nameOf(result)}`,
    atLeast: "≥ 8",
    aim: "20",
    measured: ratio(result, "plain", "ours"),
  })),
  ...Object.values(results).map((result) => ({
    what: `peak memory, ${nameOf(result)}`,
    atLeast: "≤ 250 MB",
    aim: "150 MB",
    measured: `${Math.round(result.peakBytes / 1e6)} MB`,
  })),
  {
    what: "time per byte at 10 times the state",
    atLeast: "≤ +15 %",
    aim: "0",
    measured: growth(results.large, results.small, 10),
    note: "fixed costs weigh less in a large run",
  },
  {
    what: "time per byte at 10 times the nodes",
    atLeast: "≤ +15 %",
    aim: "0",
    measured: growth(results.manyNodes, results.small, 1),
  },
  ...(await ringRows()),
  ...(await deltaRows({ bytes: megabytes / 5, times: [2 * megabytes, 10 * megabytes] })),
];

printTable(rows);
print(JSON.stringify({ machine, rows, contests: Object.values(results) }));

function nameOf({ megabytes: size, form, nodes }: ContestResult): string {
  return `${size} MB, ${nodes} nodes, ${form === "canonical" ? "canonical" : "keys in another order"}`;
}

function ratio(result: ContestResult, over: Contender, under: Contender): string {
  return (medianOf(result, over) / medianOf(result, under)).toFixed(2);
}

function growth(later: ContestResult, earlier: ContestResult, factor: number): string {
  const percent = (medianOf(later, "ours") / factor / medianOf(earlier, "ours") - 1) * 100;
  return `${percent < 0 ? "−" : "+"}${Math.abs(Math.round(percent))} %`;
}
