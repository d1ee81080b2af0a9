/**
 * How fast the main job is: `npm run bench`. Takes some minutes, 5 GB of disk, and wants two quiet cores.
 *
 * A table of what must be reached, what is aimed at, and what was measured: medians of five rounds, in each of
 * which all contenders have their turn (contest.js); all times are printed before, so that outliers show. JSON
 * with the machine on the last line. `npm run bench -- 50` takes a state of 50 MB in the place of 200,
 * with others of twice and of ten times that.
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { contest, medianOf } from "./contest.js";
import { machine, say } from "./measure.js";

const megabytes = Number(process.argv[2] ?? 200);
const all = ["curl", "plain", "ours"];
/** The plain way holds the whole state in memory, several times. */
const beside = ["curl", "ours"];

say(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
const small = await contest({ megabytes, form: "canonical", nodes: 9, contenders: all });
const canonical = await contest({ megabytes: 2 * megabytes, form: "canonical", nodes: 9, contenders: all });
const unsorted = await contest({ megabytes: 2 * megabytes, form: "unsorted", nodes: 9, contenders: all });
const large = await contest({ megabytes: 10 * megabytes, form: "canonical", nodes: 9, contenders: beside });
const manyNodes = await contest({ megabytes, form: "canonical", nodes: 90, contenders: beside });

const rows = [
  ...[small, canonical, unsorted, large].map((result) => ({
    what: `ours ÷ (curl | b2sum), ${nameOf(result)}`,
    atLeast: "≤ 3.0",
    aim: "1.5",
    measured: ratio(result, "ours", "curl"),
  })),
  ...[small, canonical, unsorted].map((result) => ({
    what: `the plain way ÷ ours, ${nameOf(result)}`,
    atLeast: "≥ 8",
    aim: "20",
    measured: ratio(result, "plain", "ours"),
  })),
  ...[small, canonical, unsorted, large, manyNodes].map((result) => ({
    what: `peak memory of the main job, ${nameOf(result)}`,
    atLeast: "≤ 250 MB",
    aim: "150 MB",
    measured: `${Math.round(result.peakBytes / 1e6)} MB`,
  })),
  {
    what: "time per byte at 10 times the state",
    atLeast: "≤ +15 %",
    aim: "0",
    measured: growth(large, small, 10),
    note: "what a run costs whatever its size counts less in a large one",
  },
  {
    what: "time per byte at 10 times the nodes",
    atLeast: "≤ +15 %",
    aim: "0",
    measured: growth(manyNodes, small, 1),
  },
  ...(await ringRows()),
];

const widths = ["what", "atLeast", "aim", "measured"].map((key) =>
  Math.max(...rows.map((row) => String(row[key]).length), key.length),
);
for (const row of [
  { what: "what", atLeast: "at least", aim: "aim", measured: "measured", note: "" },
  ...rows,
]) {
  const cells = [row.what, row.atLeast, row.aim, row.measured].map((cell, i) =>
    String(cell).padEnd(widths[i]),
  );
  say(`| ${cells.join(" | ")} | ${row.note ?? ""}`);
}
say(JSON.stringify({ machine, rows, contests: [small, canonical, unsorted, large, manyNodes] }));

/** What is measured of rings and of requests, which is a script of its own. */
async function ringRows() {
  const url = new URL("./ring.js", import.meta.url);
  return existsSync(fileURLToPath(url)) ? (await import(url.href)).ringRows() : [];
}

function nameOf({ megabytes: size, form, nodes }) {
  return `${size} MB, ${nodes} nodes, ${form === "canonical" ? "canonical" : "keys in another order"}`;
}

function ratio(result, over, under) {
  return (medianOf(result, over) / medianOf(result, under)).toFixed(2);
}

function growth(later, earlier, factor) {
  const percent = (medianOf(later, "ours") / factor / medianOf(earlier, "ours") - 1) * 100;
  return `${percent < 0 ? "−" : "+"}${Math.abs(Math.round(percent))} %`;
}
