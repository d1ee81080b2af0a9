/** The collector as a process of its own: killed at any moment, and ended by a signal. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { asCycle } from "../../src/protocol/brands.ts";
import { Random } from "../../src/testnet/state/random.ts";
import { builtFile } from "../helpers/built.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { inDatabase } from "./running-collector.ts";
import { settings, type TestNetwork, testNetwork, trueNetworkHash, votesOf } from "./test-network.ts";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

/** The status of the response to a pushed message; `undefined` if the connection or the process ends before it. */
function push(url: string, body: string, exited: Promise<unknown>, onSent: () => void) {
  return new Promise<number | undefined>((resolve) => {
    // A connection of its own: one that is kept alive may belong to a process that has been killed.
    const request = httpRequest(`${url}/partition-gossip`, { method: "POST", agent: false });
    let status: number | undefined;
    request.on("response", (response) => {
      response.resume().once("end", () => {
        status = response.statusCode;
      });
    });
    request.on("error", () => undefined).once("close", () => resolve(status));
    request.end(body, onSent);
    // Another program may already listen on the port of a process that has exited.
    void exited.then(() => request.destroy());
  });
}

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

const killsMax = 5;

describe("a collector that is killed", () => {
  it("at any moment, again and again, has every message that it has acknowledged", async () => {
    const network = await testNetwork();
    const database = join(temporaryDirectory(), "hashes.sqlite");
    const random = Random.named("killed collector");
    const cycles = Array.from({ length: 20 }, (_, cycle) => cycle + 1);
    const waiting = cycles.flatMap((cycle) => votesOf(cycle)).map((vote) => JSON.stringify(vote));
    const acknowledged = new Set<string>();
    let kills = 0;
    while (waiting.length > 0) {
      const { child, url } = await startProcess(network, database);
      const exited = once(child, "exit");
      // A step is a request that is sent, or a response that has arrived.
      const killAfter = kills < killsMax ? 1 + random.below(30) : Number.POSITIVE_INFINITY;
      let steps = 0;
      const step = () => void (++steps === killAfter && child.kill("SIGKILL"));
      const clients = Array.from({ length: 4 }, async () => {
        for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
          const status = await push(url, message, exited, step);
          if (status === 202 || status === 200) acknowledged.add(message);
          else {
            waiting.push(message);
            return;
          }
          step();
        }
      });
      await Promise.all(clients);
      child.kill(kills < killsMax ? "SIGKILL" : "SIGTERM");
      kills++;
      await exited;
      const stored = inDatabase(
        database,
        (opened) =>
          new Set(cycles.flatMap((cycle) => [...opened.messagesOf(asCycle(cycle))].map(({ text }) => text))),
      );
      const lost = [...acknowledged].filter((text) => !stored.has(text));
      expect(lost, `after ${kills} ends, the last after ${killAfter} steps`).toEqual([]);
    }
    expect(acknowledged.size).toBe(100);
    expect(kills).toBeGreaterThan(killsMax);
    // The collector recovers what the kills interrupted: every cycle of the window is agreed on in the end.
    const { child } = await startProcess(network, database);
    child.kill("SIGTERM");
    await once(child, "exit");
    inDatabase(database, (opened) => {
      for (const cycle of cycles.slice(10))
        expect(opened.networkHash(asCycle(cycle)), `cycle ${cycle}`).toBe(trueNetworkHash);
    });
  });
});

describe("a collector that is ended by a signal", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "responds to the requests that it has begun, and ends with status 0: %s",
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
      expect(inDatabase(database, (opened) => opened.messageCount(asCycle(20)))).toBe(5);
    },
  );
});
