/** A mirror that does wrong is named by its URL, and costs a run nothing but time. */

import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { AssembleResult } from "../../../src/app/assemble.ts";
import type { OffenceKind } from "../../../src/errors/offence.ts";
import { HashDatabase } from "../../../src/store/hash-database/hash-database.ts";
import { type MirrorBehaviour, mirrorServer } from "../../helpers/mirror-server.ts";
import { failureOf } from "../run.ts";
import { mirroredState, sourcesOf } from "./mirrored-state.ts";

const state = mirroredState();

const artifact = "partition-00003.json";

interface WrongMirror {
  readonly id: string;
  readonly behaviour: MirrorBehaviour;
  /** What the mirror is blamed for. */
  readonly kinds: readonly OffenceKind[];
  readonly stallTimeoutMs?: number;
}

describe("a mirror that does wrong", () => {
  const only = (fault: MirrorBehaviour["fault"]): MirrorBehaviour => ({
    fault: (file) => file.path.endsWith(artifact) && fault?.(file) === true,
  });
  const changed = (change: (text: string) => string): MirrorBehaviour => ({
    change: (path, bytes) => (path.endsWith(artifact) ? Buffer.from(change(String(bytes))) : bytes),
  });
  const manifest = (change: (text: string) => string): MirrorBehaviour => ({
    change: (path, bytes) => (path.endsWith("manifest.json") ? Buffer.from(change(String(bytes))) : bytes),
  });

  const wrongs: readonly WrongMirror[] = [
    {
      id: "has a changed artifact",
      behaviour: changed((text) => text.replace('"isGlobal":0', '"isGlobal":1')),
      kinds: ["wrong-partition"],
    },
    {
      id: "has a truncated artifact",
      behaviour: changed((text) => text.slice(0, text.length / 2)),
      kinds: ["wrong-partition"],
    },
    { id: "has an empty artifact", behaviour: changed(() => ""), kinds: ["wrong-partition"] },
    {
      id: "appends to an artifact",
      behaviour: changed((text) => `${text}\n`),
      kinds: ["wrong-partition"],
    },
    {
      id: "sends an artifact without an end",
      behaviour: only(({ response }) => {
        const send = () => {
          while (response.write(Buffer.alloc(64 * 1024, "x")));
        };
        response.on("drain", send);
        send();
        return true;
      }),
      kinds: ["oversized-answer"],
    },
    {
      id: "redirects",
      behaviour: only(({ response }) => {
        response.writeHead(302, { location: "http://127.0.0.1:9/" }).end();
        return true;
      }),
      kinds: ["redirect"],
    },
    { id: "sends nothing", behaviour: only(() => true), kinds: ["stalled-answer"], stallTimeoutMs: 2_000 },
    { id: "has a manifest of another moment", behaviour: manifest(shifted), kinds: ["malformed-answer"] },
    {
      id: "has a manifest of another network",
      behaviour: manifest((text) => text.replace(/"networkHash": "\w{8}/, '"networkHash": "00000000')),
      kinds: ["malformed-answer"],
    },
    {
      id: "has a manifest of other partitions",
      behaviour: manifest((text) =>
        text
          .replace('"numPartitions": 5', '"numPartitions": 4')
          .replace(/,\s*\[\s*"partition.4",[^\]]*\]/, ""),
      ),
      kinds: ["malformed-answer"],
    },
    {
      id: "has files outside of the snapshot in its manifest",
      behaviour: manifest((text) => text.replace(artifact, `../${artifact}`)),
      kinds: ["malformed-answer"],
    },
  ];

  it.each(wrongs)(
    "and $id costs nothing but time: another one completes the run",
    async ({ id: _, behaviour, kinds, ...rest }) => {
      const wrong = await mirrorServer(state.plainRoot, behaviour);
      const honest = await mirrorServer(state.plainRoot);
      // One query at a time, so that the first mirror is requested for the partition that it has wrong.
      const result = await state.assembleSame({
        mirrors: [wrong.url, honest.url],
        concurrency: 1,
        ...rest,
      });
      expectOnlyBlamed(result, wrong.url, kinds);
      expect(sourcesOf(result)[4]).toEqual({ kind: "mirror", url: honest.url });
    },
  );

  it.each(wrongs)(
    "and $id is blamed alone: the validators complete the run",
    async ({ id: _, behaviour, kinds, ...rest }) => {
      const wrong = await mirrorServer(state.plainRoot, behaviour);
      const result = await state.assembleSame(
        {
          mirrors: [wrong.url],
          hashDb: state.mirrorsFirst,
          concurrency: 1,
          ...rest,
        },
        [],
      );
      expectOnlyBlamed(result, wrong.url, kinds);
      expect(sourcesOf(result)[4]?.kind).toBe("node");
      expect(recordedIn(state.mirrorsFirst)).not.toContain(wrong.url);
    },
  );

  it.each([
    { id: "is a gzip bomb", bytes: () => gzipSync(Buffer.alloc(64 * 1024 * 1024)) },
    { id: "is not gzip", bytes: () => Buffer.from(`1f8b0800000000000003${"ff".repeat(99)}`, "hex") },
  ])("and whose compressed artifact $id is blamed, and not believed", async ({ bytes }) => {
    const wrong = await mirrorServer(state.compressedRoot, {
      change: (path, right) => (path.endsWith(`${artifact}.gz`) ? bytes() : right),
    });
    const honest = await mirrorServer(state.plainRoot);
    const { offences } = await state.assembleSame({ mirrors: [wrong.url, honest.url], concurrency: 1 });
    expect(offences.length).toBeGreaterThan(0);
    for (const { node } of offences) expect(node).toBe(wrong.url);
  });

  it("and answers a range with other bytes is not requested again", async () => {
    const wrong = await mirrorServer(state.plainRoot, {
      fault: ({ bytes, start, response }) => {
        if (start === 0) return false;
        response
          .writeHead(206, { "content-range": `bytes 0-${bytes.length - 1}/${bytes.length}` })
          .end(bytes);
        return true;
      },
    });
    const honest = await mirrorServer(state.plainRoot);
    const faults = ["*:break-half=1", "*:gone=1"];
    const { offences } = await state.assembleSame(
      { mirrors: [wrong.url, honest.url], concurrency: 1 },
      faults,
    );
    expect(offences).toMatchObject([{ node: wrong.url, kind: "malformed-answer" }]);
    expect(offences[0]?.detail).toContain("were requested, and the response's range is");
  });

  it.each([
    {
      id: "has a manifest of another moment",
      behaviour: manifest(shifted),
      says: "export-manifest.json: it is of another snapshot: its timestamp is",
    },
    {
      id: "has every second artifact wrong",
      behaviour: {
        change: (path, bytes) => (/partition-0000[024]/.test(path) ? Buffer.from("") : bytes),
      } satisfies MirrorBehaviour,
      says: "gave a partition with hash",
    },
    {
      id: "has no such snapshot",
      behaviour: {
        fault: ({ response }) => {
          response.writeHead(404).end();
          return true;
        },
      } satisfies MirrorBehaviour,
      says: "status 404",
    },
  ])(
    "and $id, as the only source, is named, and the snapshot is gone with the validators'",
    async ({ behaviour, says }) => {
      const wrong = await mirrorServer(state.plainRoot, behaviour);
      const failure = await failureOf(state.assembleGone({ mirrors: [wrong.url] }));
      expect(failure.code).toBe("gone");
      const named = failure.details?.filter((line) => line.includes(`the mirror ${wrong.url}: `)) ?? [];
      expect(named.length).toBeGreaterThan(0);
      for (const line of named) expect(line).toContain(says);
    },
  );

  it("and has only the snapshot of another moment is not requested, and not blamed", async () => {
    const other = await mirrorServer(state.plainRoot);
    const honest = await mirrorServer(state.plainRoot);
    const url = `${other.url}/snapshot-${state.plain.timestamp + 60_000}`;
    const { offences } = await state.assembleSame({ mirrors: [url, honest.url] });
    expect(offences).toEqual([]);
    expect(other.requests).toEqual([]);
  });
});

/** Whose offences a hash database records. */
function recordedIn(path: string): string[] {
  const database = HashDatabase.open(path);
  const recorded = [...database.offenceKinds().keys()];
  database.close();
  expect(recorded).toHaveLength(5);
  return recorded;
}

function expectOnlyBlamed({ offences }: AssembleResult, url: string, kinds: readonly OffenceKind[]): void {
  expect([...new Set(offences.map(({ kind }) => kind))]).toEqual(kinds);
  for (const { node } of offences) expect(node).toBe(url);
}

function shifted(text: string): string {
  return text.replace(/"timestamp": (\d+)/, (_, timestamp) => `"timestamp": ${Number(timestamp) + 60_000}`);
}
