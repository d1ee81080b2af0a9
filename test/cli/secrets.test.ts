/** Passwords in URLs are sent only to their server, and never shown. */

import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { targetOf } from "../../src/fetch/http/basic-auth.ts";
import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import { shownUrl, withoutUrls } from "../../src/text/shown-url.ts";
import { assembleFrom, filesIn } from "../app/run.ts";
import { mirrorServer } from "../helpers/mirror-server.ts";
import { deadUrl, httpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";
import { commandLine, type Said } from "./command-line.ts";

const user = "archivist";
const password = "p4ss:w@rd/ä";
const token = "t0ken";
const secrets = [user, password, token, encodeURIComponent(password)];

/** A URL with every part that must not be shown. */
function secretUrl(url: string): string {
  const { host, pathname } = new URL(url);
  return `http://${user}:${encodeURIComponent(password)}@${host}${pathname}?key=${token}`;
}

function requireNoSecret(text: string): void {
  for (const secret of secrets) expect(text).not.toContain(secret);
}

function requireNoSecretSaid({ stdout, stderr }: Said): void {
  requireNoSecret(stdout);
  requireNoSecret(stderr);
}

/** A proxy of a cluster's archiver that requires a password, and records its requests. */
async function guardedArchiver(cluster: Cluster, metadata?: object) {
  const requests: IncomingMessage[] = [];
  const url = await httpServer((request, response) => {
    requests.push(request);
    const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const { pathname, searchParams } = new URL(request.url ?? "", "http://archiver");
    if (request.headers.authorization !== expected || searchParams.get("key") !== token) {
      response.writeHead(401).end();
    } else if (pathname === "/state" && metadata !== undefined) {
      response.end(JSON.stringify(metadata));
    } else {
      void fetch(`${cluster.archiverUrl}${request.url}`)
        .then((fetched) => fetched.text())
        .then((text) => response.end(text));
    }
  });
  return { url, requests };
}

describe("a password in a URL", () => {
  it.each(["--json", "--verbose"])("authenticates at mirrors, and is not printed with %s", async (flag) => {
    const published = temporaryDirectory();
    await withCluster({}, (cluster) => assembleFrom(cluster, { out: published }));
    const { url, requests } = await mirrorServer(published);
    const broken = await mirrorServer(published, { change: () => Buffer.from("[]") });
    await withCluster({ faults: ["*:gone", "*:no-gossip"] }, async (cluster) => {
      const out = temporaryDirectory();
      const said = await commandLine([
        ...["--archiver", cluster.archiverUrl, "--archiver-key", cluster.archiverPublicKey],
        ...["--timestamp", String(cluster.snapshotTimestamp), "--out", out, flag],
        ...["--mirror", secretUrl(broken.url), "--mirror", secretUrl(url), "--evidence", secretUrl(url)],
      ]);
      expect(said.status).toBe(0);
      requireNoSecretSaid(said);
      expect(`${said.stdout}${said.stderr}`).toContain(url.replace("://", "://***@"));
      for (const bytes of filesIn(out).values()) requireNoSecret(bytes.toString("latin1"));
    });
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    for (const request of requests) expect(request).toMatchObject({ authorization, query: `?key=${token}` });
    expect(broken.requests.length).toBeGreaterThan(0);
  });

  it("authenticates at the archiver and at the state metadata, and is neither printed nor published", async () => {
    await withCluster({}, async (cluster) => {
      const metadata = { counter: 8, stateHashes: [], receiptHashes: [], summaryHashes: [] };
      const { url, requests } = await guardedArchiver(cluster, metadata);
      for (const more of [[], ["--json"], ["--quiet"]]) {
        const out = temporaryDirectory();
        const said = await commandLine([
          ...["--archiver", secretUrl(url), "--state-metadata", secretUrl(`${url}/state`)],
          ...["--timestamp", "latest", "--out", out, ...more],
        ]);
        expect(said.status, said.stderr).toBe(0);
        requireNoSecretSaid(said);
        for (const bytes of filesIn(out).values()) requireNoSecret(String(bytes));
        const run = readFileSync(join(out, `snapshot-${cluster.snapshotTimestamp}`, "run.json"), "utf8");
        expect(run).toContain("http://***@");
      }
      expect(requests.length).toBeGreaterThan(5);
      expect((await commandLine(["plan", "--archiver", secretUrl(url)])).status).toBe(0);
    });
  });

  it("is not sent to validators", async () => {
    const authorizations: (string | undefined)[] = [];
    const cluster = await startCluster(smallFixture());
    try {
      const validator = new URL(
        await httpServer((request, response) => {
          authorizations.push(request.headers.authorization);
          response.writeHead(404).end();
        }),
      );
      const archiver = await httpServer((request, response) => {
        void fetch(`${cluster.archiverUrl}${request.url}`)
          .then((fetched) => fetched.json())
          .then((list) => {
            const { sign: _, ...unsigned } = list as { sign?: unknown; nodeList?: object[] };
            const there = { externalIp: validator.hostname, externalPort: Number(validator.port) };
            const nodeList = unsigned.nodeList?.map((row) => ({ ...row, ...there }));
            response.end(JSON.stringify(nodeList === undefined ? unsigned : { nodeList }));
          });
      });
      const out = temporaryDirectory();
      const args = ["--archiver", secretUrl(archiver), "--timestamp", "latest", "--out", out];
      requireNoSecretSaid(await commandLine(args));
      expect(authorizations.length).toBeGreaterThan(0);
      expect(new Set(authorizations)).toEqual(new Set([undefined]));
    } finally {
      await cluster.stop();
    }
  });

  it("is not in an error of any failed request", async () => {
    const urls = [
      await deadUrl(),
      await httpServer((_, response) => void response.writeHead(401).end()),
      await httpServer((_, response) => void response.writeHead(302, { location: "http://elsewhere" }).end()),
      await httpServer((_, response) => void response.end("no JSON")),
      await httpServer((_, response) => void response.end("{}")),
      await httpServer((_, response) => void response.end('{"nodeList":[],"sign":{"owner":"a","sig":"b"}}')),
    ];
    const db = join(temporaryDirectory(), "hashes.sqlite");
    for (const url of urls) {
      const network = ["--archiver", secretUrl(url), "--connect-timeout", "100ms"];
      const commands = [
        [...network, "--timestamp", "latest"],
        ["plan", ...network],
        ["collect", ...network, "--listen", "127.0.0.1:0", "--hash-db", db],
      ];
      const all = url === urls[0] ? commands.slice(0, 1) : commands;
      for (const args of all) {
        for (const more of [[], ["--json"]]) {
          const said = await commandLine([...args, ...more]);
          expect([2, 5, 7, 8]).toContain(said.status);
          requireNoSecretSaid(said);
        }
      }
    }
  });

  it.each([
    ["--archiver", `ftp://${user}:${token}@host`],
    ["--archiver", `${user}:${token}@host:4000`],
    ["--archiver", `http://${user}:${token}/x@host`],
    ["--archiver", `http://host/#${token}`],
    ["--state-metadata", `ftp://${user}:${token}@host`],
    [`--archivr=http://${user}:${token}@host`],
    ["--quorum", `http://${user}:${token}@host`],
    [`http://${user}:${token}@host`],
    ["--listen", `http://${user}:${token}@host`],
  ])("is not in an error about the command line: %s %s", async (...args) => {
    for (const more of [[], ["--json"]]) {
      const said = await commandLine([...args, "--timestamp", "latest", ...more]);
      expect(said.status).toBe(2);
      requireNoSecretSaid(said);
    }
  });
});

describe("a URL that is shown", () => {
  it.each([
    ["http://127.0.0.1:4000", "http://127.0.0.1:4000"],
    ["http://user@host/", "http://***@host/"],
    ["https://user:password@host:1/path?a=b&c#d", "https://***@host:1/path?***#***"],
    ["HTTP://user:password@host", "http://***@host"],
    ["http://user:pass/word@host", "http://***"],
    ["./state?.json", "./state?.json"],
  ])("%s is %s", (url, shown) => {
    expect(shownUrl(url)).toBe(shown);
  });

  it("is removed from a sentence with everything after it", () => {
    expect(withoutUrls("unknown option '--x=http://user:password@host'")).toBe(
      "unknown option '--x=http://***",
    );
  });
});

describe("the target of a request", () => {
  it("has the decoded user and password in a header, and not in its URL", () => {
    const { url, headers } = targetOf("http://us%40er:p%3Ass%zz@host:1/path?q");
    expect(url).toBe("http://host:1/path?q");
    const basic = String(headers["authorization"]).replace("Basic ", "");
    expect(Buffer.from(basic, "base64").toString()).toBe("us@er:p%3Ass%zz");
    expect(targetOf("http://host/@a")).toEqual({ url: "http://host/@a", headers: {} });
  });
});
