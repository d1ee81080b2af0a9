/** Archivers publish the snapshot of another one from its server. */

import { appendFileSync, cpSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { verifySnapshot } from "../../src/app/verify.ts";
import { mirroredState, sourcesOf } from "../app/mirrors/mirrored-state.ts";
import { httpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { startServer } from "./running-server.ts";

const state = mirroredState();

/** A way to a server that breaks the first transfer of each artifact off in the middle, and notes each range. */
async function brokenWay(url: string): Promise<{ url: string; ranges: string[] }> {
  const seen = new Set<string>();
  const ranges: string[] = [];
  const way = await httpServer((request, response) => {
    const path = request.url ?? "/";
    const { range } = request.headers;
    if (range !== undefined) ranges.push(range);
    const isFirst = /partition-\d+\.json$/.test(path) && !seen.has(path);
    seen.add(path);
    httpRequest(url + path, { headers: { ...(range === undefined ? {} : { range }) } }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      let left = isFirst
        ? Math.floor(Number(answer.headers["content-length"]) / 2)
        : Number.POSITIVE_INFINITY;
      answer.on("data", (chunk: Buffer) => {
        if (left <= 0) return;
        const part = chunk.subarray(0, left);
        left -= part.length;
        response.write(part, () => (left <= 0 ? response.destroy() : undefined));
      });
      answer.once("end", () => (left > 0 ? response.end() : undefined));
    }).end();
  });
  return { url: way, ranges };
}

describe("a run whose mirror is a server of snapshots", () => {
  it.each([
    { id: "plain", root: () => state.plainRoot, path: "/snapshots" },
    { id: "compressed", root: () => state.compressedRoot, path: "/snapshots" },
    { id: "one snapshot's", root: () => state.plainRoot, path: "/snapshots/snapshot-" },
  ])("publishes the same snapshot from $id artifacts, votes included", async ({ root, path }) => {
    const { url, stop } = await startServer([root()]);
    const mirror = url + path + (path.endsWith("-") ? state.plain.timestamp : "");
    const result = await state.assembleSame({ mirrors: [mirror], evidence: mirror, hashDb: undefined });
    expect(sourcesOf(result)).toEqual(Array.from({ length: 6 }, () => ({ kind: "mirror", url: mirror })));
    expect(result).toMatchObject({ offences: [], warnings: [] });
    expect((await verifySnapshot(result.directory)).findings).toEqual([]);
    await stop();
  });

  it("continues a transfer that broke off with the bytes behind it", async () => {
    const { url } = await startServer([state.plainRoot]);
    const way = await brokenWay(url);
    const result = await state.assembleSame({ mirrors: [`${way.url}/snapshots`] });
    expect(result.offences).toEqual([]);
    expect(way.ranges.length).toBeGreaterThan(0);
    for (const range of way.ranges) expect(range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(sourcesOf(result).filter(({ kind }) => kind === "continued").length).toBeGreaterThan(0);
  });

  it("uses another mirror where a snapshot of the first has changed", async () => {
    const damaged = temporaryDirectory();
    cpSync(state.plainRoot, damaged, { recursive: true });
    const [first, second] = [await startServer([damaged]), await startServer([state.plainRoot])];
    appendFileSync(join(damaged, `snapshot-${state.plain.timestamp}`, "partition-00001.json"), " ");
    const mirrors = [first, second].map(({ url }) => `${url}/snapshots`);
    const result = await state.assembleSame({ mirrors });
    // A server that refuses to serve is not blamed.
    expect(result.offences).toEqual([]);
  });
});
