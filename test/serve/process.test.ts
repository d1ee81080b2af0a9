/** The server as a process of its own, which a signal ends. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { builtFile } from "../helpers/built.ts";
import { largeAccount, publishedSnapshot } from "./running-server.ts";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));
const large = publishedSnapshot({ accounts: 200 }, "none", largeAccount);

interface RunningProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly lines: Record<string, unknown>[];
  readonly ended: Promise<unknown[]>;
}

async function startProcess(): Promise<RunningProcess> {
  builtFile("cli/main.js");
  const args = [command, "serve", large.directory, "--listen", "127.0.0.1:0", "--json"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "close");
  const lines: Record<string, unknown>[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = JSON.parse(line) as Record<string, unknown>;
      lines.push(event);
      if (event["type"] === "listening") resolve(String(event["url"]));
    });
    void ended.then(() => reject(new Error("the server ended before it listened")));
  });
  return { child, url, lines, ended };
}

describe("a server that receives a signal", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "%s completes the response under way, and ends with status 0",
    async (signal) => {
      const { child, url, lines, ended } = await startProcess();
      // A connection without a request must not delay the end.
      const idle = get(`${url}/healthz`, { agent: false, headers: { connection: "keep-alive" } });
      const [health] = (await once(idle, "response")) as [NodeJS.ReadableStream];
      health.resume();
      const request = get(`${url}/snapshot-data?timestamp=${large.timestamp}`, { agent: false });
      const [response] = (await once(request, "response")) as [NodeJS.ReadableStream];
      child.kill(signal);
      // The server no longer listens; the response that nobody has read goes on.
      while (
        await fetch(`${url}/healthz`).then(
          () => true,
          () => false,
        )
      );
      let text = "";
      for await (const chunk of response) text += String(chunk);
      const { snapshot } = JSON.parse(text) as { snapshot: unknown[] };
      expect(snapshot).toHaveLength(203);
      expect(await ended).toEqual([0, null]);
      expect(lines.map(({ type }) => type)).toEqual([
        ...["verifying", "snapshot", "restoring", "key", "listening", "summary"],
      ]);
      expect(lines.at(-1)).toMatchObject({
        ok: true,
        exitCode: 0,
        snapshots: [{ name: large.name, directory: large.directory, problem: null }],
      });
    },
  );

  it("twice ends at once", async () => {
    const { child, url, ended } = await startProcess();
    const request = get(`${url}/snapshot-data?timestamp=${large.timestamp}`, { agent: false });
    await once(request, "response");
    request.on("error", () => undefined);
    child.kill("SIGTERM");
    while (
      await fetch(`${url}/healthz`).then(
        () => true,
        () => false,
      )
    );
    child.kill("SIGTERM");
    expect(await ended).toEqual([143, null]);
  });
});
