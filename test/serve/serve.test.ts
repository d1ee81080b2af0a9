/** What a server serves: verified snapshots, and nothing else. */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { serve } from "../../src/app/serve.ts";
import { failureOf } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { publishedSnapshot, startServer } from "./running-server.ts";

const published = publishedSnapshot();
const earlier = publishedSnapshot({ snapshotCycle: 7 });

const namesAt = async (url: string) => {
  const { snapshots } = (await (await fetch(`${url}/snapshots`)).json()) as { snapshots: { name: string }[] };
  return snapshots.map(({ name }) => name);
};

/** A directory as runs publish into, with what they leave beside snapshots. */
function outputDirectory(): string {
  const out = temporaryDirectory();
  for (const { directory, name } of [published, earlier])
    cpSync(directory, join(out, name), { recursive: true });
  mkdirSync(join(out, ".snapshot-1700000000000.partial"));
  mkdirSync(join(out, "snapshot-old"));
  return out;
}

describe("serve()", () => {
  it("serves the snapshots that are given, whatever their directories are called", async () => {
    const directory = join(temporaryDirectory(), "copy");
    cpSync(published.directory, directory, { recursive: true });
    const { url, events, stop } = await startServer([directory, earlier.directory]);
    expect(await namesAt(url)).toEqual([published.name, earlier.name].sort());
    expect(events.map(({ type }) => type)).toEqual([
      ...["verifying", "snapshot", "verifying", "snapshot"],
      ...["restoring", "key", "listening"],
    ]);
    expect(await stop()).toMatchObject({
      snapshots: [
        { name: published.name, directory, timestamp: published.timestamp, cycle: 8, problem: null },
        { name: earlier.name, problem: null },
      ],
    });
    await expect(fetch(`${url}/snapshots`)).rejects.toThrow();
  });

  it("serves every published snapshot in a directory of snapshots", async () => {
    const { url } = await startServer([outputDirectory()]);
    expect(await namesAt(url)).toEqual([published.name, earlier.name].sort());
  });

  it("refuses a snapshot that fails verification, and listens nowhere", async () => {
    const out = outputDirectory();
    writeFileSync(join(out, published.name, "partition-00002.json"), "[]");
    const events: unknown[] = [];
    const failure = await failureOf(
      serve([out], {
        listen: { host: "127.0.0.1", port: 0 },
        signal: new AbortController().signal,
        reporter: { report: (event) => events.push(event.type) },
      }),
    );
    expect(failure).toMatchObject({
      code: "verification",
      message: expect.stringContaining("was not served"),
    });
    expect(events).not.toContain("listening");
  });

  it("demands what the options of the verification demand", async () => {
    const failure = await failureOf(startServer([published.directory], { archiverKey: "ab".repeat(32) }));
    expect(["node-list", "chain"]).toContain(failure.code);
  });

  it("refuses two snapshots of one moment", async () => {
    const failure = await failureOf(startServer([outputDirectory(), published.directory]));
    expect(failure).toMatchObject({
      code: "usage",
      message: expect.stringContaining("are both snapshots of"),
    });
  });

  it.each([
    { id: "a missing directory", path: "missing", says: /missing does not exist/ },
    { id: "a directory without snapshots", path: "", says: /is not a snapshot/ },
  ])("refuses $id", async ({ path, says }) => {
    const failure = await failureOf(startServer([join(temporaryDirectory(), path)]));
    expect(failure).toMatchObject({ code: "no-such-snapshot", message: expect.stringMatching(says) });
  });

  it("refuses a port on which another program listens", async () => {
    const { url } = await startServer([published.directory]);
    const port = Number(new URL(url).port);
    const failure = await failureOf(
      startServer([published.directory], { listen: { host: "127.0.0.1", port } }),
    );
    expect(failure).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("another program"),
    });
  });

  it.each([{ directories: [] }, { directories: "directory" }, { directories: [""] }])(
    "refuses $directories as directories",
    async ({ directories }) => {
      const failure = await failureOf(startServer(directories as string[]));
      expect(failure).toMatchObject({
        code: "usage",
        message: expect.stringContaining("invalid directories"),
      });
    },
  );

  it("ends without a failure if it is ended while it verifies", async () => {
    const ending = new AbortController();
    const result = await serve([published.directory], {
      listen: { host: "127.0.0.1", port: 0 },
      signal: ending.signal,
      reporter: { report: ({ type }) => (type === "verifying" ? ending.abort() : undefined) },
    });
    expect(result).toEqual({ snapshots: [] });
  });

  it("refuses a snapshot that was written to while it was verified", async () => {
    const directory = join(temporaryDirectory(), published.name);
    cpSync(published.directory, directory, { recursive: true });
    const { identitiesIn } = await import("../../src/serve/file-identity.ts");
    const { loadSnapshot } = await import("../../src/serve/load-snapshot.ts");
    const before = await identitiesIn(directory);
    const { digest } = JSON.parse(readFileSync(join(directory, "export-manifest.json"), "utf8")).snapshot;
    expect((await loadSnapshot(directory, digest, before)).name).toBe(published.name);
    const file = join(directory, "partition-00001.json");
    writeFileSync(file, readFileSync(file));
    expect(await failureOf(loadSnapshot(directory, digest, before))).toMatchObject({
      code: "verification",
      message: expect.stringContaining("partition-00001.json was written to"),
    });
    rmSync(file);
    expect(await failureOf(loadSnapshot(directory, digest, before))).toMatchObject({
      message: expect.stringContaining("partition-00001.json is missing"),
    });
  });
});
