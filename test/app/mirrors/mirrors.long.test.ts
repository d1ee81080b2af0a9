/** Runs fetch accounts from mirrors where validators do not give them, and publish only what has the agreed hash. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AssembleResult } from "../../../src/app/assemble.ts";
import { verifySnapshot } from "../../../src/app/verify.ts";
import { breakOffAt, type MirrorBehaviour, mirrorServer } from "../../helpers/mirror-server.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";
import { failureOf, filesIn } from "../run.ts";
import { isArtifact, mirroredState, sourcesOf } from "./mirrored-state.ts";

const state = mirroredState();
/** The global partition is too short for a beginning. */
const isLong = (path: string) => /partition-\d+\.json/.test(path);

describe("a run with a mirror", () => {
  it.each([
    { id: "with ranges", behaviour: {} },
    { id: "without ranges", behaviour: { hasRanges: false } },
    { id: "with compressed artifacts", isCompressed: true, behaviour: {} },
    {
      id: "that sends compressed artifacts as an encoding",
      isCompressed: true,
      behaviour: {
        fault: ({ path, bytes, response }) => {
          if (path.endsWith(".gz")) response.setHeader("content-encoding", "gzip");
          response.end(bytes);
          return true;
        },
      } satisfies MirrorBehaviour,
    },
  ])("publishes from one $id although every validator has dropped the snapshot", async (one) => {
    const { url } = await mirrorServer(
      one.isCompressed ? state.compressedRoot : state.plainRoot,
      one.behaviour,
    );
    for (const order of ["bisect", "cover"] as const) {
      const result = await state.assembleSame({ mirrors: [url], order });
      expect(sourcesOf(result)).toEqual(Array.from({ length: 6 }, () => ({ kind: "mirror", url })));
      expect(result.offences).toEqual([]);
      expect((await verifySnapshot(result.directory)).findings).toEqual([]);
    }
  });

  it("accepts the URL of a snapshot, and keeps user, password and token to itself", async () => {
    const { url, requests } = await mirrorServer(state.plainRoot);
    const secret = `${url.replace("://", "://user:s3cret@")}/snapshot-${state.plain.timestamp}?token=t0ken`;
    const result = await state.assembleSame({ mirrors: [secret], evidence: secret, hashDb: undefined });
    expect(requests.length).toBeGreaterThan(6);
    for (const { query, authorization } of requests) {
      expect(query).toBe("?token=t0ken");
      expect(authorization).toBe(`Basic ${Buffer.from("user:s3cret").toString("base64")}`);
    }
    const shown = JSON.stringify(result) + readFileSync(join(result.directory, "run.json"), "utf8");
    expect(shown).toContain("***@127.0.0.1");
    expect(shown).not.toMatch(/s3cret|t0ken/);
  });

  it("publishes what one mirror has, votes included, although the validators have neither", async () => {
    const { url } = await mirrorServer(state.plainRoot);
    const result = await state.assembleSame({ mirrors: [url], evidence: url, hashDb: undefined });
    expect(result).toMatchObject({ warnings: [], offences: [] });
    expect((await verifySnapshot(result.directory)).findings).toEqual([]);
    const failure = await failureOf(state.assembleGone({ mirrors: [url], hashDb: undefined }));
    expect(failure.code).toBe("no-agreement");
  });

  it("records the settings of the run without the URLs of mirrors", async () => {
    const { url } = await mirrorServer(state.plainRoot);
    const { directory } = await state.assembleSame({ mirrors: [url] });
    const { settings } = JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
    expect(settings).toEqual({ quorum: "majority", order: "bisect", concurrency: 4 });
  });

  it("shares partitions among mirrors, which validators that failed do not hold up", async () => {
    const mirrors = [await mirrorServer(state.plainRoot), await mirrorServer(state.plainRoot)];
    await state.assembleSame({ mirrors: mirrors.map(({ url }) => url) });
    for (const { requests } of mirrors)
      expect(requests.filter(({ path }) => isArtifact(path)).length).toBeGreaterThan(0);
  });

  it("continues what validators broke off, from the byte that it has", async () => {
    const mirror = await mirrorServer(state.plainRoot);
    // The global partition is short, so that no validator breaks it off.
    const result = await state.assembleSame({ mirrors: [mirror.url] }, ["*:break-half=1", "*:gone=1"]);
    const starts = mirror.requests.flatMap(({ range }) =>
      range === undefined ? [] : [Number(range.slice("bytes=".length, -1))],
    );
    expect(starts.length).toBeGreaterThan(0);
    for (const start of starts) expect(start).toBeGreaterThan(64 * 1024);
    expect(sourcesOf(result)).toContainEqual({ kind: "continued", url: mirror.url });
    expect(result.offences).toEqual([]);
  });

  it("continues a mirror that breaks off every transfer, at the same mirror", async () => {
    const mirror = await mirrorServer(state.plainRoot, {
      fault: (file) => {
        const end = file.start + 100_000;
        if (!isArtifact(file.path) || end >= file.bytes.length) return false;
        breakOffAt(end, file);
        return true;
      },
    });
    const result = await state.assembleSame({ mirrors: [mirror.url] });
    expect(result.bytes.received).toBeLessThan(1.1 * result.stateBytes);
    expect(result.offences).toEqual([]);
  });

  it("continues at a validator, in the same run, what a mirror broke off", async () => {
    const mirror = await mirrorServer(state.plainRoot, {
      fault: (file) => {
        if (!isLong(file.path)) return false;
        if (file.start > 0) file.response.writeHead(404).end();
        else breakOffAt(Math.floor(0.9 * file.bytes.length), file);
        return true;
      },
    });
    const result = await state.assembleSame({ mirrors: [mirror.url], hashDb: state.mirrorsFirst }, []);
    const ofMirror = result.queries.filter(({ node }) => node === mirror.url);
    expect(ofMirror.map(({ outcome }) => outcome)).toContain("reset");
    expect(sourcesOf(result)[1]).toEqual({ kind: "continued", id: expect.stringMatching(/^[0-9a-f]{64}$/) });
    // Without its beginning, partition 0 would cost a fifth more.
    expect(result.bytes.received).toBeLessThan(1.05 * state.plain.bytes.received);
    expect(result.offences).toEqual([]);
  });

  it("continues at a validator what a mirror broke off in an earlier run", async () => {
    const out = temporaryDirectory();
    const mirror = await mirrorServer(state.plainRoot, {
      fault: (file) => {
        if (!isLong(file.path)) return false;
        breakOffAt(Math.floor(0.9 * file.bytes.length), file);
        return true;
      },
      hasRanges: false,
    });
    const failure = await failureOf(state.assembleGone({ out, mirrors: [mirror.url] }));
    expect(failure.message).toContain("could not fetch every partition");
    expect(failure.details?.join("\n")).toContain(`the mirror ${mirror.url}: `);
    const result = await state.assembleSame({ out }, []);
    expect(sourcesOf(result).filter(({ kind }) => kind === "continued").length).toBeGreaterThan(0);
    expect(result.bytes.received).toBeLessThan(state.plain.bytes.received);
  });

  it("is not blamed for a damaged beginning of an earlier run, which it is requested to continue", async () => {
    const out = temporaryDirectory();
    const breaking = await mirrorServer(state.plainRoot, {
      fault: (file) => {
        if (!isLong(file.path)) return false;
        breakOffAt(Math.floor(0.9 * file.bytes.length), file);
        return true;
      },
    });
    await failureOf(state.assembleGone({ out, mirrors: [breaking.url] }));
    const partial = join(out, `.snapshot-${state.plain.timestamp}.partial`);
    const beginnings = [...filesIn(partial)].filter(([file]) => file.endsWith(".whole.json"));
    expect(beginnings.length).toBeGreaterThan(0);
    for (const [file, bytes] of beginnings)
      writeFileSync(join(partial, file), String(bytes).replace('"isGlobal":0', '"isGlobal":1'));
    const honest = await mirrorServer(state.plainRoot);
    const result = await state.assembleSame({ out, mirrors: [honest.url] });
    expect(honest.requests.filter(({ range }) => range !== undefined).length).toBeGreaterThan(0);
    expect(result.offences).toEqual([]);
  });
});

describe("a slow mirror", () => {
  /** The stall timeout and the time of a straggler. A run that waits for them does not end within the test's timeout. */
  const patient = { stallTimeoutMs: 600_000, concurrency: 1 };
  const timeout = 300_000;
  const silent: MirrorBehaviour = { fault: ({ path }) => isArtifact(path) };
  const trickling: MirrorBehaviour = {
    fault: ({ path, bytes, response }) => {
      if (!isArtifact(path)) return false;
      let sent = 0;
      const timer = setInterval(() => response.write(bytes.subarray(sent, ++sent)), 500);
      response.on("close", () => clearInterval(timer));
      return true;
    },
  };

  it.each([
    { id: "sends nothing", behaviour: silent },
    { id: "sends a byte now and then", behaviour: trickling },
  ])("that $id is hedged at another mirror, and not blamed", { timeout }, async ({ behaviour }) => {
    const slow = await mirrorServer(state.plainRoot, behaviour);
    const fast = await mirrorServer(state.plainRoot);
    const result = await state.assembleSame({ mirrors: [slow.url, fast.url], ...patient });
    expect(sourcesOf(result)).toEqual(Array.from({ length: 6 }, () => ({ kind: "mirror", url: fast.url })));
    expectHedged(result, slow.url);
  });

  it("is hedged at validators, and not blamed", { timeout }, async () => {
    const slow = await mirrorServer(state.plainRoot, silent);
    const mirrors = { mirrors: [slow.url], hashDb: state.mirrorsFirst };
    const result = await state.assembleSame({ ...mirrors, ...patient }, []);
    for (const { kind } of sourcesOf(result)) expect(kind).toBe("node");
    expectHedged(result, slow.url);
  });

  function expectHedged({ queries, offences }: AssembleResult, url: string): void {
    expect(queries.filter(({ node }) => node === url)).toMatchObject([
      { verified: [], outcome: expect.stringMatching(/^(hedged|not-needed)$/) },
    ]);
    expect(offences).toEqual([]);
  }
});
