/** Faults planted in a copy of the compiled scheduler: the simulator finds each. */

import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtFile } from "../helpers/built.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

interface Fault {
  readonly id: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly finding: RegExp;
}

const faults: readonly Fault[] = [
  {
    id: "a straggler that is never hedged",
    file: "sync/next-action.js",
    from: "nextHedge(state, slow, nowMs) ??",
    to: "",
    finding: /no end after/,
  },
  {
    id: "a liar that is requested for the same partition for ever",
    file: "sync/run-state.js",
    from: 'this.pool.exclude(peer, partition, { reason: "wrong", detail });',
    to: "void detail;",
    finding: /no end after|times the missing bytes/,
  },
  {
    id: "a second response that commits what the first has committed",
    file: "sync/response-exchange.js",
    from: "if (this.expected(partition) === undefined) {",
    to: "if (partition < -1) {",
    finding: /cannot settle partition|committed twice/,
  },
  {
    id: "a peer that is blamed because it cannot be reached",
    file: "sync/peers/error-costs.js",
    from: "unreachable: passing",
    to: 'unreachable: { ...passing, offence: "stalled-answer" }',
    finding: /honest peer \w+ was blamed: stalled-answer/,
  },
  {
    id: "more queries at once than are allowed",
    file: "sync/next-action.js",
    from: "queries.size < (isLastShare ? 1 : task.concurrency)",
    to: "queries.size < 100",
    finding: /requests at once/,
  },
  {
    id: "a failed query that keeps its partitions",
    file: "sync/run-state.js",
    from: "this.tasks.release(id);",
    to: "",
    finding: /no query|gave up|no end after|nothing is left to wait for/,
  },
  {
    id: "a partition that is accepted whatever its content is",
    file: "simulator/virtual-response.js",
    from: "if (expected === content) {",
    to: "if (expected !== undefined) {",
    finding: /was committed as [0-9a-f]{64}/,
  },
];

describe("the simulator", () => {
  it.each(faults)("finds $id", ({ file, from, to, finding }) => {
    const directory = temporaryDirectory();
    const dist = dirname(dirname(builtFile("simulator/main.js")));
    cpSync(dist, join(directory, "dist"), { recursive: true });
    symlinkSync(join(dist, "..", "node_modules"), join(directory, "node_modules"));
    writeFileSync(join(directory, "package.json"), '{"type":"module"}');
    const path = join(directory, "dist", file);
    const text = readFileSync(path, "utf8");
    expect(text.split(from)).toHaveLength(2);
    writeFileSync(path, text.replace(from, to));
    const args = [
      join(directory, "dist", "simulator", "main.js"),
      "--seeds",
      "600",
      "--seed",
      "planted",
      "--bail",
    ];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect({ status, stdout }).toMatchObject({ status: 1, stdout: expect.stringMatching(finding) });
  });
});
