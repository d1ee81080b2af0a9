/** The command as a process of its own: signals, and being killed at any moment. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { verifySnapshot } from "../../src/app/verify.ts";
import type { Cluster } from "../../src/testnet/cluster/cluster.ts";
import { Random } from "../../src/testnet/state/random.ts";
import { filesIn } from "../app/run.ts";
import { builtFile } from "../helpers/built.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";
import { failureSchema, successSchema } from "./summary-schema.ts";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Runs the command; `onLine` sees each line of stdout as it comes, and may end the process. */
async function start(
  args: readonly string[],
  onLine: (count: number, child: ChildProcess) => void = () => undefined,
) {
  builtFile("cli/main.js");
  const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  createInterface({ input: child.stdout }).on("line", (line) => onLine(lines.push(line), child));
  const [status, signal] = (await once(child, "close")) as [number | null, string | null];
  return { status, signal, lines, stderr } satisfies Ended;
}

function argsFor({ archiverUrl }: Cluster, out: string): string[] {
  return ["--archiver", archiverUrl, "--timestamp", "latest", "--out", out, "--json", "--concurrency", "1"];
}

describe("a run that is told to end", () => {
  it.each([
    { signal: "SIGINT", status: 130 },
    { signal: "SIGTERM", status: 143 },
  ] as const)(
    "by $signal ends cleanly with status $status, and keeps what is verified",
    async ({ signal, status }) => {
      const out = temporaryDirectory();
      await withCluster({ faults: ["4:stall"] }, async (cluster) => {
        // By the first query's end, the first node has given what it has; the second one stalls.
        let isTold = false;
        const ended = await start(argsFor(cluster, out), (_, child) => {
          if (
            !isTold &&
            existsSync(join(out, `.snapshot-${cluster.snapshotTimestamp}.partial`, "partition-global.json"))
          ) {
            isTold = true;
            child.kill(signal);
          }
        });
        expect(ended).toMatchObject({ status, signal: null, stderr: "" });
        const summary = failureSchema.parse(JSON.parse(ended.lines.at(-1) ?? ""));
        expect(summary).toMatchObject({ exitCode: status, error: { code: "interrupted" } });
        expect(readdirSync(out)).toEqual([`.snapshot-${cluster.snapshotTimestamp}.partial`]);
      });
      await withCluster({}, async (cluster) => {
        const { status: again, lines } = await start(argsFor(cluster, out));
        expect(again).toBe(0);
        const { queries } = successSchema.parse(JSON.parse(lines.at(-1) ?? ""));
        expect(queries.flatMap(({ partitions }) => partitions)).not.toContain(-1);
      });
    },
  );
});

describe("a run that is killed", () => {
  it("at any moment, again and again, leaves what the next run makes the right snapshot of", async () => {
    const changes = { accounts: 1000, globalAccounts: 10 };
    const expected = await published(smallFixture(changes));
    const random = Random.named("killed");
    await withCluster({ ...changes, faults: ["*:slow=5ms", "2:corrupt-data"] }, async (cluster) => {
      const fresh = temporaryDirectory();
      const whole = await start(argsFor(cluster, fresh));
      expect(whole.status).toBe(0);
      const directory = `snapshot-${cluster.snapshotTimestamp}`;
      const out = temporaryDirectory();
      let killed = 0;
      for (let attempt = 0; attempt < 7; attempt++) {
        const [lines, pauseMs] = [1 + random.below(whole.lines.length - 1), random.below(12)];
        const { signal } = await start(argsFor(cluster, out), (count, child) => {
          if (count === lines) void sleep(pauseMs).then(() => child.kill("SIGKILL"));
        });
        if (signal === "SIGKILL") killed++;
        // There is a snapshot, whole and right, or none.
        if (existsSync(join(out, directory))) {
          const found = await verifySnapshot(join(out, directory));
          expect(found.findings, `after ${lines} lines and ${pauseMs} ms`).toEqual([]);
          // So that the next run has something to do again.
          rmSync(join(out, directory), { recursive: true });
        }
      }
      expect(killed).toBeGreaterThan(3);
      const last = await start(argsFor(cluster, out));
      expect(successSchema.parse(JSON.parse(last.lines.at(-1) ?? ""))).toMatchObject(expected);
      expect(readdirSync(out).filter((name) => !name.endsWith(".lock") && !name.endsWith(".holder"))).toEqual(
        [directory],
      );
      const isCompared = ([file]: [string, Buffer]) => file !== "run.json" && !file.startsWith("evidence");
      expect(new Map([...filesIn(join(out, directory))].filter(isCompared))).toEqual(
        new Map([...filesIn(join(fresh, directory))].filter(isCompared)),
      );
    });
  });
});

describe("two runs for the same snapshot", () => {
  it("at the same time are one that publishes it and one that is told to wait", async () => {
    await withCluster({ faults: ["4:stall"] }, async (cluster) => {
      const out = temporaryDirectory();
      // The first one holds the lock while it waits for a node.
      const args = [...argsFor(cluster, out), "--stall-timeout", "1500ms"];
      const ended = await Promise.all([start(args), start(args)]);
      expect(ended.map(({ status }) => status).sort()).toEqual([0, 11]);
      const refused = ended.find(({ status }) => status === 11);
      expect(failureSchema.parse(JSON.parse(refused?.lines.at(-1) ?? "")).error.code).toBe("locked");
      expect(readdirSync(out)).toEqual([`snapshot-${cluster.snapshotTimestamp}`]);
    });
  });
});
