/** `GET /snapshots`, and the files of served snapshots. */

import { rmSync, symlinkSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { publishedSnapshot, startServer } from "./running-server.ts";

const plain = publishedSnapshot();
const compressed = publishedSnapshot({}, "gzip");
const artifact = "partition-00000.json";

/** Requests a path as it is: `fetch` would resolve its dots. */
function statusOf(url: string, path: string, method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    httpRequest({ hostname, port, path, method, agent: false }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? 0));
    })
      .once("error", reject)
      .end();
  });
}

describe("GET /snapshots", () => {
  it("lists each snapshot with its manifest, which a client can read there", async () => {
    const { url } = await startServer([plain.directory]);
    const { snapshots } = (await (await fetch(`${url}/snapshots`)).json()) as {
      snapshots: { manifest: string }[];
    };
    expect(snapshots).toEqual([
      expect.objectContaining({
        name: plain.name,
        timestamp: plain.timestamp,
        accounts: 103,
        isServed: true,
      }),
    ]);
    const manifest = plain.bytesOf("export-manifest.json").toString();
    expect(await (await fetch(url + snapshots[0]?.manifest)).text()).toBe(manifest);
    expect(await (await fetch(`${url}/snapshots/${plain.name}`)).text()).toBe(manifest);
  });
});

describe("a file of a served snapshot", () => {
  it.each([
    { id: "the manifest", file: "export-manifest.json", type: "application/json" },
    { id: "the export data", file: "export-data.jsonl", type: "application/jsonl" },
    { id: "an artifact", file: artifact, type: "application/json" },
    { id: "the evidence", file: "evidence/gossip.jsonl", type: "application/jsonl" },
    { id: "the record of the run", file: "run.json", type: "application/json" },
  ])("is sent whole, with its length and the hash of its bytes as ETag: $id", async ({ file, type }) => {
    const { url } = await startServer([plain.directory]);
    const wanted = plain.bytesOf(file);
    for (const method of ["GET", "HEAD"]) {
      const response = await fetch(`${url}/snapshots/${plain.name}/${file}`, { method });
      expect(response.status).toBe(200);
      expect(response.headers.get("etag")).toBe(`"${hashText(wanted)}"`);
      expect(response.headers.get("content-length")).toBe(String(wanted.length));
      expect(response.headers.get("content-type")).toBe(type);
      expect(response.headers.get("accept-ranges")).toBe("bytes");
      const got = Buffer.from(await response.arrayBuffer());
      expect(got.equals(method === "GET" ? wanted : Buffer.alloc(0))).toBe(true);
    }
  });

  it("is sent as it is if it is compressed", async () => {
    const { url } = await startServer([compressed.directory]);
    const response = await fetch(`${url}/snapshots/${compressed.name}/${artifact}.gz`);
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(response.headers.get("content-type")).toBe("application/gzip");
    const got = Buffer.from(await response.arrayBuffer());
    expect(got.equals(compressed.bytesOf(`${artifact}.gz`))).toBe(true);
    expect(response.headers.get("etag")).toBe(`"${hashText(got)}"`);
  });

  it.each([
    { range: "bytes=0-0", start: 0, end: 1 },
    { range: "bytes=5-", start: 5, end: undefined },
    { range: "bytes=10-19", start: 10, end: 20 },
    { range: "bytes=10-999999999", start: 10, end: undefined },
    { range: "bytes=-7", start: -7, end: undefined },
    { range: "bytes=-999999999", start: 0, end: undefined },
  ])("is sent in part for $range", async ({ range, start, end }) => {
    const { url } = await startServer([plain.directory]);
    const whole = plain.bytesOf(artifact);
    const wanted = whole.subarray(start, end);
    const response = await fetch(`${url}/snapshots/${plain.name}/${artifact}`, { headers: { range } });
    expect(response.status).toBe(206);
    expect(Buffer.from(await response.arrayBuffer()).equals(wanted)).toBe(true);
    const first = start < 0 ? whole.length + start : start;
    const contentRange = `bytes ${first}-${first + wanted.length - 1}/${whole.length}`;
    expect(response.headers.get("content-range")).toBe(contentRange);
  });

  it("is refused with its length for a range behind its end", async () => {
    const { url } = await startServer([plain.directory]);
    const { length } = plain.bytesOf(artifact);
    for (const range of [`bytes=${length}-`, "bytes=-0"]) {
      const response = await fetch(`${url}/snapshots/${plain.name}/${artifact}`, { headers: { range } });
      expect(response.status).toBe(416);
      expect(response.headers.get("content-range")).toBe(`bytes */${length}`);
      expect(await response.json()).toEqual({ error: `${artifact} has ${length} bytes` });
    }
  });

  it("is not sent again to a client that has it, and only to one that has a part of it in part", async () => {
    const { url } = await startServer([plain.directory]);
    const path = `${url}/snapshots/${plain.name}/${artifact}`;
    const etag = `"${hashText(plain.bytesOf(artifact))}"`;
    const other = `"${"0".repeat(64)}"`;
    const statusFor = async (headers: Record<string, string>) => {
      const response = await fetch(path, { headers });
      const bytes = (await response.arrayBuffer()).byteLength;
      return `${response.status} ${bytes === plain.bytesOf(artifact).length ? "whole" : bytes}`;
    };
    expect(await statusFor({ "if-none-match": etag })).toBe("304 0");
    expect(await statusFor({ "if-none-match": `${other}, W/${etag}` })).toBe("304 0");
    expect(await statusFor({ "if-none-match": other })).toBe("200 whole");
    expect(await statusFor({ "if-match": other })).toMatch(/^412 /);
    expect(await statusFor({ "if-match": etag, range: "bytes=0-9" })).toBe("206 10");
    expect(await statusFor({ "if-range": etag, range: "bytes=0-9" })).toBe("206 10");
    expect(await statusFor({ "if-range": other, range: "bytes=0-9" })).toBe("200 whole");
    expect(await statusFor({ "if-range": `W/${etag}`, range: "bytes=0-9" })).toBe("200 whole");
  });
});

describe("what is not a file of the snapshot", () => {
  it.each([
    { id: "a path out of the snapshot", path: "../export-manifest.json" },
    { id: "an encoded path out of it", path: "%2e%2e/export-manifest.json" },
    { id: "an encoded slash", path: "..%2fexport-manifest.json" },
    { id: "an absolute path", path: "/etc/passwd" },
    { id: "a directory", path: "evidence" },
    { id: "a directory with a slash", path: "evidence/" },
    { id: "a zero byte", path: "run.json%00" },
    { id: "a longer way to a file", path: "evidence/../run.json" },
    { id: "a doubled slash", path: "evidence//gossip.jsonl" },
    { id: "an unknown name", path: "partition-99999.json" },
    { id: "no name", path: "" },
    { id: "the beginning of a name", path: "run" },
    { id: "a name of the prototype", path: "constructor" },
  ])("is not found: $id", async ({ path }) => {
    const { url } = await startServer([plain.directory]);
    expect(await statusOf(url, `/snapshots/${plain.name}/${path}`)).toBe(404);
  });

  it("is not found where a link was added after the start", async () => {
    const { url } = await startServer([plain.directory]);
    const link = join(plain.directory, "link.json");
    symlinkSync("/etc/passwd", link);
    try {
      expect(await statusOf(url, `/snapshots/${plain.name}/link.json`)).toBe(404);
    } finally {
      rmSync(link);
    }
  });

  it.each(["/snapshots/snapshot-1/run.json", "/snapshots/..", "/nothing", "/%", "/snapshots/%zz/run.json"])(
    "is refused in JSON: %s",
    async (path) => {
      const { url } = await startServer([plain.directory]);
      expect([400, 404]).toContain(await statusOf(url, path));
    },
  );

  it("is answered with 405 and the methods that the path has", async () => {
    const { url } = await startServer([plain.directory]);
    for (const [path, method, allow] of [
      [`/snapshots/${plain.name}/run.json`, "DELETE", "GET, HEAD"],
      ["/snapshot", "GET", "POST"],
      ["/healthz", "POST", "GET, HEAD"],
    ] as const) {
      const response = await fetch(url + path, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe(allow);
      expect(await response.json()).toMatchObject({ error: expect.any(String) });
    }
  });
});
