/** The command as a process: signals, and kills at every moment. */

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
import { comparedFiles } from "../app/run.ts";
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

/** Runs the command. `onLine` receives each line of stdout, and may end the process. */
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

describe("an interrupted run", () => {
  it.each([
    { signal: "SIGINT", status: 130 },
    { signal: "SIGTERM", status: 143 },
  ] as const)(
    "ends cleanly with status $status on $signal, and keeps verified partitions",
    async ({ signal, status }) => {
      const out = temporaryDirectory();
      await withCluster({ faults: ["4:stall"] }, async (cluster) => {
        // When the first query ends, the first node has given its partitions; the second node stalls.
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

describe("a killed run", () => {
  it("leaves files from which the next run assembles the right snapshot, at every moment", {
    timeout: 240_000,
  }, async () => {
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
        // Either a complete and right snapshot exists, or none.
        if (existsSync(join(out, directory))) {
          const found = await verifySnapshot(join(out, directory));
          expect(found.findings, `after ${lines} lines and ${pauseMs} ms`).toEqual([]);
          // The next run then has work again.
          rmSync(join(out, directory), { recursive: true });
        }
      }
      expect(killed).toBeGreaterThan(3);
      const last = await start(argsFor(cluster, out));
      expect(successSchema.parse(JSON.parse(last.lines.at(-1) ?? ""))).toMatchObject(expected);
      expect(readdirSync(out).filter((name) => !name.endsWith(".lock") && !name.endsWith(".holder"))).toEqual(
        [directory],
      );
      expect(comparedFiles(join(out, directory))).toEqual(comparedFiles(join(fresh, directory)));
    });
  });
});

describe("two runs for the same snapshot", () => {
  it("publish it once; the other run ends with status 11", async () => {
    await withCluster({ faults: ["4:stall"] }, async (cluster) => {
      const out = temporaryDirectory();
      // The first run holds the lock while it waits for a node.
      const args = [...argsFor(cluster, out), "--stall-timeout", "1500ms"];
      const ended = await Promise.all([start(args), start(args)]);
      expect(ended.map(({ status }) => status).sort()).toEqual([0, 11]);
      const refused = ended.find(({ status }) => status === 11);
      expect(failureSchema.parse(JSON.parse(refused?.lines.at(-1) ?? "")).error.code).toBe("locked");
      expect(readdirSync(out)).toEqual([`snapshot-${cluster.snapshotTimestamp}`]);
    });
  });
});
