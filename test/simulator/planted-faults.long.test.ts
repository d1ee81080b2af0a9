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
  /** The base seed of runs that soon find what few runs find. */
  readonly base?: string;
}

const faults: readonly Fault[] = [
  {
    id: "a straggler that is never hedged",
    file: "sync/next-action.js",
    from: "nextHedge(state, nowMs) ??",
    to: "",
    finding: /no end after/,
  },
  {
    id: "a liar that is requested for the same partition for ever",
    file: "sync/response-end.js",
    from: 'pool.exclude(peer, partition, { reason: "wrong", detail });',
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
    file: "simulator/virtual-endings.js",
    from: "if (isRead && content === expected)",
    to: "if (isRead)",
    finding: /was committed as [0-9a-f]{64}/,
  },
  {
    id: "a base that is used again after it was rejected",
    file: "sync/queries/partition-bases.js",
    from: "this.drop(partition, rejected);",
    to: "",
    finding: /no end after|are enough|times the missing bytes|after that was wrong/,
  },
  {
    id: "a peer that is blamed for the beginning that another one gave",
    file: "sync/queries/partition-bases.js",
    from: 'base.kind === "beginning" && isOfPeer(base, peer)',
    to: 'base.kind === "beginning"',
    finding: /honest peer \w+ was blamed: wrong-partition/,
  },
  {
    id: "a peer that continues what another one gave after beginnings did not fit together",
    file: "sync/queries/partition-bases.js",
    from: "return isOfPeer(base, peer) ? base : undefined;",
    to: "return base;",
    finding: /continues what others gave of -?\d+, after that was wrong/,
  },
  {
    id: "changes that are requested without a base",
    file: "sync/queries/narrowed-requests.js",
    from: "const base = bases.get(partition);\n        if (base?.kind",
    to: "const base = bases.get(partition) ?? [...bases.values()].find((other) => other.kind === 'older');\n        if (base?.kind",
    finding: /is requested as a delta of nothing/,
  },
  {
    id: "files that no base needs and that are never removed",
    file: "sync/fetch-partitions.js",
    from: "await this.#ports.store.remove(path);",
    to: "void path;",
    finding: /the run left \d+ bytes on the disk/,
  },
  {
    id: "a file that is removed while a request is to complete it",
    file: "sync/run-state.js",
    from: "[...unused].filter((path) => !needed.has(path))",
    to: "[...unused]",
    finding: /whose file was removed/,
    base: "planted-b",
  },
  {
    id: "a beginning that is kept of a partition which another response has given",
    file: "sync/response-end.js",
    from: "if (!tasks.isWanted(partition)) {",
    to: "if (partition < -1) {",
    finding: /the run left \d+ bytes on the disk/,
    base: "planted-b",
  },
  {
    id: "deltas that break off for ever",
    file: "sync/queries/partition-bases.js",
    from: "count >= brokenDeltasMax",
    to: "count < 0",
    finding: /times the missing bytes|no end after|gave up/,
  },
  {
    id: "a full disk on which beginnings stay",
    file: "sync/run-state.js",
    from: "this.bases.dropAll();",
    to: "",
    finding: /gave up .* which a reliable peer gives|no end after/,
    base: "planted-d",
  },
  {
    id: "a mirror that is blamed for what another one gave",
    file: "sync/peers/peer-pool.js",
    from: 'peer: { kind: "mirror", place, url },',
    to: 'peer: { kind: "mirror", place, url: mirrors[0] },',
    finding: /honest peer http\S+ was blamed: wrong-partition/,
  },
  {
    id: "a mirror that is not requested for a single partition",
    file: "sync/strategy/mirror-queries.js",
    from: "partitions.length === 0 ? []",
    to: "partitions.length <= 1 ? []",
    finding: /gave up .* which a reliable peer gives|no end after/,
  },
];

describe("the simulator", () => {
  it.each(faults)("finds $id", ({ file, from, to, finding, base = "planted" }) => {
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
      base,
      "--bail",
    ];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 200_000 });
    expect({ status, stdout }).toMatchObject({ status: 1, stdout: expect.stringMatching(finding) });
  });
});
