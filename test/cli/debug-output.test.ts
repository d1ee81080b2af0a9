import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { isDebugging } from "../../src/cli/debug-output.ts";
import { builtFile } from "../helpers/built.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  builtFile("cli/main.js");
  const child = spawn(process.execPath, [command, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** The JSON objects on stderr, as they are written. */
async function* eventsOf(child: ReturnType<typeof start>) {
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.startsWith("{")) yield JSON.parse(line) as Record<string, unknown> & { type: string };
  }
}

describe("debug output", () => {
  it.each([
    { id: "--verbose", flags: ["--verbose"], env: {} },
    { id: "NODE_DEBUG", flags: [], env: { NODE_DEBUG: "http2,snapshot-assemble" } },
  ])("contains each decision and each request with $id", async ({ flags, env }) => {
    await withCluster({}, async ({ archiverUrl }) => {
      const out = temporaryDirectory();
      const args = ["--archiver", archiverUrl, "--timestamp", "latest", "--out", out, "--quiet", ...flags];
      const types = new Set<string>();
      for await (const { type } of eventsOf(start(args, env))) types.add(type);
      for (const type of [
        "stage",
        "schedule.start",
        "schedule.request",
        "http.start",
        "http.end",
        "response",
        "verified",
        "published",
      ])
        expect(types).toContain(type);
    });
  });

  it("is switched on by the name of the program", () => {
    expect(isDebugging({ NODE_DEBUG: "snapshot-assemble-x" })).toBe(false);
    expect(isDebugging({})).toBe(false);
  });
});

it("SIGUSR1 prints the missing partitions and the running queries, and the run continues", async () => {
  await withCluster({ faults: ["*:stall"] }, async ({ archiverUrl }) => {
    const out = temporaryDirectory();
    const child = start(["--archiver", archiverUrl, "--timestamp", "latest", "--out", out, "--verbose"]);
    let isAsked = false;
    for await (const event of eventsOf(child)) {
      if (event.type === "schedule.request" && !isAsked) {
        isAsked = true;
        child.kill("SIGUSR1");
      }
      if (event.type !== "state") continue;
      expect(event).toMatchObject({
        tasks: [
          {
            type: "fetch",
            missing: expect.any(Array),
            queries: expect.arrayContaining([expect.objectContaining({ state: "requesting" })]),
          },
        ],
      });
      expect(child.exitCode).toBeNull();
      child.kill("SIGINT");
    }
    const [status] = child.exitCode === null ? await once(child, "close") : [child.exitCode];
    expect(status).toBe(130);
  });
});
