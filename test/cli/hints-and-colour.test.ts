import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deadUrl, httpServer, tcpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { commandLine } from "./command-line.ts";

it("an error on a terminal is red, even if stdout is not a terminal", async () => {
  expect((await commandLine(["--timestamp", "soon"], { isTTY: true })).stderr).toContain("\u001b[31m");
});

it("a list that cannot be read has a hint", async () => {
  const args = [
    "--nodes",
    join(temporaryDirectory(), "no"),
    "--cycles",
    "no",
    "--timestamp",
    "latest",
    "--json",
  ];
  expect((await commandLine(args)).summary()).toMatchObject({ error: { hint: expect.stringMatching(/./) } });
});

describe("an unreachable archiver", () => {
  const runWith = (url: string) => commandLine(["--archiver", url, "--timestamp", "latest", "--quiet"]);

  it("that speaks HTTP and not TLS is a usage error without the text of OpenSSL", async () => {
    const http = await httpServer((_request, response) => response.end());
    const said = await runWith(http.replace("http:", "https:"));
    expect(said).toMatchObject({ status: 2, stdout: "" });
    expect(said.stderr).toContain("the server does not speak TLS");
    expect(said.stderr).toMatch(/\nhint: Check the scheme and the port of --archiver/);
    expect(said.stderr).not.toMatch(/ssl|routines|record\.c/i);
  });

  it("that ends the TLS handshake with an alert is a usage error", async () => {
    // handshake_failure, fatal
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, 40]);
    const server = await tcpServer((socket) => socket.once("data", () => socket.end(alert)));
    const said = await runWith(server.replace("http:", "https:"));
    expect(said).toMatchObject({ status: 2, stdout: "" });
    expect(said.stderr).not.toMatch(/routines|record\.c|s3_pkt/i);
  });

  it.each([
    { id: "refuses the connection", url: deadUrl },
    { id: "has an unknown host name", url: () => Promise.resolve("http://archiver.invalid:4000") },
  ])("that $id is a temporary failure, and the hint suspects the URL", async ({ url }) => {
    const said = await runWith(await url());
    expect(said).toMatchObject({ status: 5, stdout: "" });
    expect(said.stderr).toContain("the address may be wrong");
    expect(said.stderr).toMatch(/\nhint: Check the host and the port of --archiver/);
  });
});
