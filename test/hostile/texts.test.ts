/** Texts from archivers, validators and directories that attack the terminal of their reader. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { printable, printableJson } from "../../src/text/printable.ts";
import { assembleFrom } from "../app/run.ts";
import { commandLine } from "../cli/command-line.ts";
import { builtFile } from "../helpers/built.ts";
import { httpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

/** Line ends of every kind, C0 and C1 controls, bidirectional controls, zero width, a tag, half a pair. */
const hostile =
  "\nhint: run curl evil\r\u0085\u2028\u2029\u001b[2J\u009b31m\u061c\u200b\u200f\u202e\u2066\ufeff\u{e0041}\ud800";
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** The beginnings of the program's own lines. */
const ownLine =
  /^(?:error: |hint: |warning: |offence: | {2}|reading |requesting |fetching |publishing$|node [0-9a-f]{8} |listening |\d+ nodes; |snapshot {6}|state {9}|network hash {2}|digest {8}|votes {9}|note {10})/;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process, which is faster. */
const start = (args: readonly string[]): Promise<Ended> => commandLine(args);

async function startProcess(args: readonly string[]): Promise<Ended> {
  builtFile("cli/main.js");
  const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout: String(Buffer.concat(stdout)), stderr: String(Buffer.concat(stderr)) };
}

function requireClean({ stdout, stderr }: Ended): void {
  for (const line of stderr.split("\n").slice(0, -1)) {
    expect(line).not.toMatch(unseen);
    expect(line).toMatch(ownLine);
  }
  expect(`${stderr}\n${stdout}`).not.toMatch(/^\s*hint: run/m);
  for (const line of stdout.split("\n").slice(0, -1)) {
    expect(line).not.toMatch(unseen);
    requireCleanValue(line.startsWith("{") ? JSON.parse(line) : line);
  }
}

function requireCleanValue(value: unknown): void {
  if (typeof value === "string") expect(value).not.toMatch(unseen);
  if (typeof value !== "object" || value === null) return;
  for (const [key, field] of Object.entries(value)) {
    expect(key).not.toMatch(unseen);
    requireCleanValue(field);
  }
}

/** Runs a command with both forms of output, and expects its status. */
async function requireCleanOutput(
  args: readonly string[],
  status: number,
  run: (args: readonly string[]) => Promise<Ended> = start,
): Promise<void> {
  const [people, machines] = await Promise.all([run(args), run([...args, "--json"])]);
  expect(people.status, people.stderr).toBe(status);
  expect(people.stderr).toContain("run curl evil");
  requireClean(people);
  expect(machines.status, machines.stderr).toBe(status);
  expect(machines.stdout).toContain("run curl evil");
  requireClean(machines);
}

const id = "ab".repeat(32);
const node = { id, ip: "127.0.0.1", port: 9, publicKey: id };
const cycle = { counter: 1, start: 1_700_000_000, duration: 60, active: 1, marker: id, previous: id };

describe("a hostile archiver", () => {
  const network = (nodeList: object, cycles: object) =>
    httpServer((request, response) => {
      response.end(JSON.stringify(request.url?.startsWith("/full-nodelist") ? nodeList : cycles));
    });
  const records = (changes: object) => ({ cycleInfo: [{ ...cycle, ...changes }] });

  it.each([
    { id: "a marker", nodes: { nodeList: [node] }, cycles: records({ marker: hostile }), status: 7 },
    {
      id: "a signer",
      nodes: { nodeList: [node], sign: { owner: hostile, sig: hostile } },
      cycles: {},
      status: 8,
    },
    {
      id: "a field of a record",
      nodes: { nodeList: [node] },
      cycles: records({ start: hostile }),
      status: 2,
    },
  ])("cannot forge an output line with $id", async ({ nodes, cycles, status }) => {
    const archiver = await network(nodes, cycles);
    const ended = await start(["--archiver", archiver, "--timestamp", "latest"]);
    expect(ended.status, ended.stderr).toBe(status);
    requireClean(ended);
    const machines = await start(["--archiver", archiver, "--timestamp", "latest", "--json"]);
    expect(machines.status).toBe(status);
    requireClean(machines);
  });

  it("cannot forge an output line with an error, in any command", async () => {
    const archiver = await httpServer((_, response) => {
      response.writeHead(400).end(JSON.stringify({ error: hostile }));
    });
    await requireCleanOutput(["--archiver", archiver, "--timestamp", "latest"], 2, startProcess);
    await requireCleanOutput(["plan", "--archiver", archiver], 2);
    const db = join(temporaryDirectory(), "hashes.sqlite");
    await requireCleanOutput(
      ["collect", "--archiver", archiver, "--listen", "127.0.0.1:0", "--hash-db", db],
      2,
    );
  });

  it("cannot forge an output line with text that is not JSON", async () => {
    const archiver = await httpServer((_, response) => void response.end(hostile));
    await requireCleanOutput(["--archiver", archiver, "--timestamp", "latest"], 2);
  });
});

describe("a hostile validator", () => {
  it("cannot forge an output line with the error of a response", async () => {
    await withCluster({}, async ({ archiverUrl, snapshotTimestamp, snapshotCycle }) => {
      const cycles = await (await fetch(`${archiverUrl}/cycleinfo/100`)).text();
      const { nodeList } = (await (await fetch(`${archiverUrl}/full-nodelist`)).json()) as {
        nodeList: { ip: string; port: number; externalIp?: string; externalPort?: number }[];
      };
      const gossip = await Promise.all(
        nodeList.map(async ({ ip, port, externalIp, externalPort }) => {
          const url = `http://${externalIp ?? ip}:${externalPort ?? port}/partition-gossip?cycle=${snapshotCycle}`;
          const { messages } = (await (await fetch(url)).json()) as { messages: object[] };
          return messages.map((message) => JSON.stringify(message));
        }),
      );
      const directory = temporaryDirectory();
      const validator = new URL(
        await httpServer((_, response) => {
          response.writeHead(410).end(JSON.stringify({ error: hostile }));
        }),
      );
      const there = { externalIp: validator.hostname, externalPort: Number(validator.port) };
      const files = {
        nodes: JSON.stringify(nodeList.map((row) => ({ ...row, ...there }))),
        cycles,
        gossip: `${[...new Set(gossip.flat())].join("\n")}\n`,
      };
      for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
      const lists = Object.keys(files).flatMap((name) => [`--${name}`, join(directory, name)]);
      const sharding = ["--nodes-per-consensus-group", "3", "--nodes-per-edge", "0"];
      const out = ["--out", join(directory, "out"), "--timestamp", String(snapshotTimestamp)];
      const people = await start([...lists, ...sharding, ...out]);
      expect(people.status, people.stderr).toBe(3);
      expect(people.stderr).toContain("run curl evil");
      requireClean(people);
      const machines = await start([...lists, ...sharding, ...out, "--json"]);
      expect(machines.status).toBe(3);
      expect(machines.stdout).toContain("run curl evil");
      requireClean(machines);
    });
  });
});

describe("a hostile directory", () => {
  it("cannot forge an output line with the names and values in its files", async () => {
    await withCluster({}, async (cluster) => {
      const { directory } = await assembleFrom(cluster, {});
      const copy = join(temporaryDirectory(), "copy");
      cpSync(directory, copy, { recursive: true });
      const entries = [
        [`z${hostile}`, hostile],
        ["hash.key", hostile],
      ];
      writeFileSync(
        join(copy, "export-data.jsonl"),
        entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
      );
      await requireCleanOutput(["verify", copy], 4);
    });
  });

  it("cannot forge an output line with its own name", async () => {
    await requireCleanOutput(["verify", join(temporaryDirectory(), hostile.replace("\ud800", ""))], 10);
  });
});

describe("a text for people", () => {
  it("is one line without unprintable characters", () => {
    expect(printable(`a${hostile}b`)).toMatch(/^a +hint: run curl evil[ [\]0-9a-zA-Z]*b$/u);
    expect(printable("Ünïcödé 漢字 🙂")).toBe("Ünïcödé 漢字 🙂");
  });

  it("is cleaned in every string and key of JSON, except in signed evidence", () => {
    const line = printableJson({ [hostile]: [hostile], evidence: { messages: [{ text: hostile }] } });
    expect(line).not.toMatch(unseen);
    const { evidence, ...others } = JSON.parse(line) as { evidence: unknown };
    requireCleanValue(others);
    expect(evidence).toEqual({ messages: [{ text: hostile }] });
  });
});
