/** The collector as a process of its own: killed at any moment, and told to end. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { Random } from "../../src/testnet/state/random.ts";
import { builtFile } from "../helpers/built.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { inDatabase } from "./running-collector.ts";
import { settings, type TestNetwork, testNetwork, trueNetworkHash, votesOf } from "./test-network.ts";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

/** How long a client of the test waits for a response. */
const requestMaxMs = 10_000;

async function startProcess(
  network: TestNetwork,
  database: string,
): Promise<{ child: ChildProcess; url: string; lines: string[] }> {
  builtFile("cli/main.js");
  const { nodesPerConsensusGroup, nodesPerEdge } = settings;
  const sharding = [
    "--nodes-per-consensus-group",
    `${nodesPerConsensusGroup}`,
    "--nodes-per-edge",
    `${nodesPerEdge}`,
  ];
  const args = [
    "collect",
    "--archiver",
    network.archiver,
    "--listen",
    "127.0.0.1:0",
    "--hash-db",
    database,
    "--json",
    ...sharding,
  ];
  const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      const event = JSON.parse(line) as { type: string; url?: string };
      if (event.type === "listening") resolve(event.url ?? "");
    });
    child.once("close", () => reject(new Error(`the collector ended before it listened: ${lines.at(-1)}`)));
  });
  return { child, url, lines };
}

describe("a collector that is killed", () => {
  it("at any moment, again and again, has every message that it has acknowledged", async () => {
    const network = await testNetwork();
    const database = join(temporaryDirectory(), "hashes.sqlite");
    const random = Random.named("killed collector");
    const cycles = Array.from({ length: 20 }, (_, cycle) => cycle + 1);
    const waiting = cycles.flatMap((cycle) => votesOf(cycle));
    const acknowledged = new Set<string>();
    let kills = 0;
    while (waiting.length > 0) {
      const { child, url } = await startProcess(network, database);
      const exited = once(child, "exit");
      const killAfterMs = 5 + random.below(40);
      const killed = kills < 5 ? sleep(killAfterMs).then(() => child.kill("SIGKILL")) : Promise.resolve();
      const clients = Array.from({ length: 4 }, async () => {
        for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
          const body = JSON.stringify(message);
          // A request to a killed process may never settle: its message is sent to the next one.
          const signal = AbortSignal.timeout(requestMaxMs);
          const request = fetch(`${url}/partition-gossip`, { method: "POST", body, signal });
          const response = await request.catch(() => undefined);
          if (response?.status === 202 || response?.status === 200) acknowledged.add(body);
          else {
            waiting.push(message);
            return;
          }
        }
      });
      await Promise.all([...clients, killed]);
      if (kills++ < 5) child.kill("SIGKILL");
      else child.kill("SIGTERM");
      await exited;
      const stored = inDatabase(
        database,
        (opened) => new Set(cycles.flatMap((cycle) => [...opened.messagesOf(cycle)].map(({ text }) => text))),
      );
      const lost = [...acknowledged].filter((text) => !stored.has(text));
      expect(lost, `after ${kills} kills, the last after ${killAfterMs} ms`).toEqual([]);
    }
    expect(acknowledged.size).toBe(100);
    // What the kills interrupted is made up for: every cycle of the window is agreed on in the end.
    const { child } = await startProcess(network, database);
    child.kill("SIGTERM");
    await once(child, "exit");
    inDatabase(database, (opened) => {
      for (const cycle of cycles.slice(10))
        expect(opened.networkHash(cycle), `cycle ${cycle}`).toBe(trueNetworkHash);
    });
  });
});

describe("a collector that is told to end", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "by %s answers what was begun, and ends with status 0",
    async (signal) => {
      const network = await testNetwork();
      const database = join(temporaryDirectory(), "hashes.sqlite");
      const { child, url, lines } = await startProcess(network, database);
      const closed = once(child, "close");
      const body = JSON.stringify({ messages: votesOf(20) });
      const response = await fetch(`${url}/partition-gossip`, { method: "POST", body });
      child.kill(signal);
      expect(response.status).toBe(202);
      expect(await closed).toEqual([0, null]);
      expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
        type: "summary",
        ok: true,
        exitCode: 0,
        messages: 5,
      });
      expect(inDatabase(database, (opened) => opened.messageCount(20))).toBe(5);
    },
  );
});
