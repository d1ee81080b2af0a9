import { describe, expect, it } from "vitest";
import { publishedSnapshot } from "../serve/running-server.ts";
import { commandLine } from "./command-line.ts";

const published = publishedSnapshot();

describe("the serve command", () => {
  it("prints a line for each snapshot, the key and the URL as JSON lines with --json", async () => {
    const ending = new AbortController();
    const said = await commandLine(["serve", published.directory, "--listen", "127.0.0.1:0", "--json"], {
      signal: ending.signal,
      onStdout: (text) => (text.includes('"listening"') ? ending.abort() : undefined),
    });
    expect(said.status, said.stderr).toBe(0);
    expect(said.objects()).toEqual([
      { type: "verifying", directory: published.directory },
      expect.objectContaining({ type: "snapshot", name: published.name, cycle: 8 }),
      { type: "restoring", name: null, mode: null },
      { type: "key", publicKey: expect.stringMatching(/^[0-9a-f]{64}$/), isFresh: true },
      { type: "listening", url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) },
      expect.objectContaining({ type: "summary", ok: true, exitCode: 0 }),
    ]);
  });

  it("prints what it does on stderr, and what it served on stdout", async () => {
    const ending = new AbortController();
    const said = await commandLine(["serve", published.directory, "--listen", "127.0.0.1:0"], {
      signal: ending.signal,
      onStderr: (text) => (text.startsWith("listening on http://127.0.0.1:") ? ending.abort() : undefined),
    });
    expect(said).toMatchObject({ status: 0, stdout: "served  1 snapshot\n" });
    expect(said.stderr).toContain(
      `verifying ${published.directory}\n${published.name}: cycle 8, network hash `,
    );
    expect(said.stderr).toContain("a key that lasts as long as the server");
  });

  it("prints nothing about what goes well with --quiet", async () => {
    const args = ["serve", published.directory, "--listen", "127.0.0.1:0", "--quiet"];
    expect(await commandLine(args, { signal: AbortSignal.abort() })).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "",
    });
  });

  it.each([
    { id: "no directory", args: ["serve"], status: 2, says: /missing required argument/ },
    {
      id: "an address without a port",
      args: ["serve", "x", "--listen", "localhost"],
      status: 2,
      says: /--listen/,
    },
    { id: "a directory without a snapshot", args: ["serve", "/nowhere"], status: 10, says: /does not exist/ },
    {
      id: "a missing key file",
      args: ["serve", "x", "--key-file", "/nowhere"],
      status: 2,
      says: /cannot use the key file/,
    },
  ])("ends with status $status for $id", async ({ args, status, says }) => {
    const said = await commandLine(args);
    expect(said.status).toBe(status);
    expect(said.stderr).toMatch(says);
  });

  it("has every field of the summary after a failure", async () => {
    const said = await commandLine(["serve", "/nowhere", "--json"]);
    expect(said.summary()).toMatchObject({ ok: false, exitCode: 10, snapshots: [] });
  });
});
