/** `--verbose` prints the start and the end of each HTTP request. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { HttpEndEvent, HttpStartEvent } from "../../src/fetch/http/request-trace.ts";
import { httpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";
import { type Circumstances, commandLine } from "./command-line.ts";

interface Sent {
  readonly request: { readonly method: string; readonly origin: string; readonly path: string };
}

/** Runs a command, and returns the requests that the HTTP library sent, by its own account. */
async function observed(args: readonly string[], circumstances?: Circumstances) {
  const sent: string[] = [];
  const onSent = (message: unknown) => {
    const { method, origin, path } = (message as Sent).request;
    sent.push(`${method} ${origin}${path}`);
  };
  subscribe("undici:request:create", onSent);
  try {
    return { said: await commandLine(args, circumstances), sent };
  } finally {
    unsubscribe("undici:request:create", onSent);
  }
}

function httpEvents(stderr: string): (HttpStartEvent | HttpEndEvent)[] {
  const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
  const events = lines.map((line) => JSON.parse(line) as HttpStartEvent | HttpEndEvent);
  return events.filter(({ type }) => type === "http.start" || type === "http.end");
}

/** Requires that each request that was sent has a start, and that each start has one end. */
function requireTraced(stderr: string, sent: readonly string[]): void {
  const events = httpEvents(stderr);
  const unmatched = events.flatMap((event) =>
    event.type === "http.start" ? [`${event.method} ${event.url}`] : [],
  );
  for (const request of sent) {
    const index = unmatched.indexOf(request);
    expect(index, `${request} has no http.start`).toBeGreaterThanOrEqual(0);
    unmatched.splice(index, 1);
  }
  const numbersOf = (type: string) =>
    events.flatMap((event) => (event.type === type ? [event.request] : [])).sort((a, b) => a - b);
  expect(numbersOf("http.end")).toEqual(numbersOf("http.start"));
}

const paths = ["/full-nodelist", "/cycleinfo", "/netconfig", "/partition-gossip", "/snapshot"];

/** The command lines that send requests, and the paths that they request. */
const commands = [
  {
    id: "the main job",
    argsOf: (archiver: string, directory: string) => [
      ...["--archiver", archiver, "--timestamp", "latest", "--out", directory],
    ],
    requested: paths,
  },
  {
    id: "plan",
    argsOf: (archiver: string) => ["plan", "--archiver", archiver, "--timestamp", "latest"],
    requested: paths.slice(0, 3),
  },
  {
    id: "collect",
    argsOf: (archiver: string, directory: string) => [
      ...["collect", "--archiver", archiver, "--listen", "127.0.0.1:0"],
      ...["--hash-db", join(directory, "hashes.sqlite")],
    ],
    requested: ["/full-nodelist", "/cycleinfo", "/partition-gossip"],
  },
];

/** Ends a collector when it has agreed on a hash. */
function untilAgreed(): Circumstances {
  const ending = new AbortController();
  const onStdout = (text: string) => {
    if (text.includes('"agreed"')) ending.abort();
  };
  return { signal: ending.signal, onStdout };
}

describe("--verbose", () => {
  it.each(commands)("prints each request of $id", async ({ argsOf, requested }) => {
    await withCluster({}, async ({ archiverUrl }) => {
      const args = [...argsOf(archiverUrl, temporaryDirectory()), "--json", "--verbose"];
      const { said, sent } = await observed(args, untilAgreed());
      expect(said.status, said.stderr).toBe(0);
      for (const path of requested) expect(sent.join("\n")).toContain(path);
      requireTraced(said.stderr, sent);
      expect(said.stdout).not.toContain("http.start");
    });
  });

  it.each(commands)("is needed to print the requests of $id", async ({ argsOf }) => {
    await withCluster({}, async ({ archiverUrl }) => {
      const args = [...argsOf(archiverUrl, temporaryDirectory()), "--json"];
      const { said, sent } = await observed(args, untilAgreed());
      expect(sent.length).toBeGreaterThan(3);
      expect(said.stdout + said.stderr).not.toMatch(/http\.(start|end)|schedule\./);
    });
  });

  it("names the node of each request for accounts once, before the request", async () => {
    await withCluster({}, async ({ archiverUrl, nodes }) => {
      const args = ["--archiver", archiverUrl, "--timestamp", "latest", "--out", temporaryDirectory()];
      const { stderr } = await commandLine([...args, "--quiet", "--verbose"]);
      const events = stderr.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
      const isPost = ({ type, method }: Record<string, unknown>) =>
        type === "http.start" && method === "POST";
      const requests = events.filter((event) => event.type === "schedule.request" || isPost(event));
      expect(events.filter(({ type }) => type === "request")).toEqual([]);
      expect(requests.length).toBeGreaterThan(1);
      const urlOf = new Map(nodes.map(({ id, url }) => [id, url]));
      const named = requests
        .filter(({ type }) => type === "schedule.request")
        .map(({ node }) => urlOf.get(node));
      const posted = requests.filter(isPost).map(({ url }) => String(url).replace("/snapshot", ""));
      expect(posted.sort()).toEqual(named.sort());
    });
  });

  it("prints neither passwords nor terminal escapes of a server", async () => {
    const escapes = "\u001b]0;title\u0007\u009b31m";
    const url = await httpServer((_, response) => void response.writeHead(500).end(escapes));
    const { host } = new URL(url);
    const archiver = `http://us3r:passw0rd@${host}/base?t0ken=k3y`;
    const said = await commandLine(["plan", "--archiver", archiver, "--verbose", "--json"]);
    expect(said.status).toBe(5);
    const [start, end] = httpEvents(said.stderr);
    expect(start).toMatchObject({ url: `http://***@${host}/base/full-nodelist?***` });
    expect(end).toMatchObject({ outcome: "status", status: 500 });
    expect(said.stderr + said.stdout).not.toMatch(/us3r|passw0rd|t0ken|k3y/);
    expect((said.stderr + said.stdout).replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});
