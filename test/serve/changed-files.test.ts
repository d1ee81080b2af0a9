/** A snapshot that changes on the disk is not served, and is served again when its files are the verified ones. */

import {
  appendFileSync,
  copyFileSync,
  cpSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { snapshotWith } from "../restore/restorable.ts";
import { accountsOf, postSnapshot, publishedSnapshot, startServer } from "./running-server.ts";

const published = publishedSnapshot();
const artifact = "partition-00000.json";

/** A copy of the snapshot that a test may change. */
function copied(): string {
  const directory = join(temporaryDirectory(), published.name);
  cpSync(published.directory, directory, { recursive: true });
  return directory;
}

interface Health {
  readonly ok: boolean;
  readonly snapshots: readonly {
    readonly name: string;
    readonly state: string;
    readonly problem: string | null;
  }[];
}

/** The health when no file is being hashed. Two comparisons that requests ask for have a pause between them. */
async function healthOf(url: string, expected: number): Promise<Health> {
  for (;;) {
    const response = await fetch(`${url}/healthz`);
    const health = (await response.json()) as Health;
    if (response.status === expected && !health.snapshots.some(({ state }) => state === "checking"))
      return health;
  }
}

const changes: readonly { id: string; change: (path: string) => void; says: RegExp }[] = [
  {
    id: "with another byte, and the old size and time",
    change: (path) => {
      const { atime, mtime } = statSync(path);
      const bytes = readFileSync(path);
      bytes[50] = 0x30 + (((bytes[50] ?? 0) + 1) % 10);
      writeFileSync(path, bytes);
      utimesSync(path, atime, mtime);
    },
    says: /^partition-00000.json: its hash is [0-9a-f]{64}, not [0-9a-f]{64}$/,
  },
  { id: "that is longer", change: (path) => appendFileSync(path, " "), says: /its hash is/ },
  { id: "that is empty", change: (path) => writeFileSync(path, ""), says: /its hash is/ },
  { id: "that is missing", change: (path) => rmSync(path), says: /^partition-00000.json: it is missing$/ },
  {
    id: "that is another partition's",
    change: (path) => copyFileSync(path.replace("-00000.json", "-00001.json"), path),
    says: /its hash is/,
  },
  {
    id: "that is a link to its own bytes",
    change: (path) => {
      renameSync(path, `${path}.moved`);
      // A link could lead elsewhere a moment later.
      symlinkSync(`${path}.moved`, path);
    },
    says: /it is not a regular file/,
  },
];

describe("a served snapshot with a file", () => {
  it.each(changes)(
    "$id is not served by any route, and the server says so once",
    async ({ change, says }) => {
      const directory = copied();
      const { url, events } = await startServer([directory]);
      expect(await healthOf(url, 200)).toMatchObject({ ok: true });
      change(join(directory, artifact));
      const health = await healthOf(url, 503);
      expect(health).toMatchObject({
        ok: false,
        snapshots: [{ state: "changed", problem: expect.stringMatching(says) }],
      });
      for (const request of [
        () => fetch(`${url}/snapshots/${published.name}/export-manifest.json`),
        () => fetch(`${url}/snapshots/${published.name}/${artifact}`),
        () => fetch(`${url}/snapshot-cycles?timestamp=${published.timestamp}`),
        () => fetch(`${url}/snapshot-data?timestamp=${published.timestamp}`),
        () => postSnapshot(url, { timestamp: published.timestamp }),
      ]) {
        const response = await request();
        expect(response.status).toBe(503);
        expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
        expect(await response.json()).toMatchObject({ error: expect.stringContaining(published.name) });
      }
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toMatch(new RegExp(`snapshot_info\\{name="${published.name}".*\\} 0`));
      expect(events.filter(({ type }) => type === "changed")).toEqual([
        { type: "changed", name: published.name, problem: expect.stringMatching(says) },
      ]);
    },
  );

  it("that changes is refused by the request that reads it, before any other check", async () => {
    const directory = copied();
    const { url } = await startServer([directory]);
    appendFileSync(join(directory, artifact), " ");
    expect((await fetch(`${url}/snapshots/${published.name}/${artifact}`)).status).toBe(503);
    expect((await postSnapshot(url, { timestamp: published.timestamp })).status).toBe(503);
  });

  it("that is put back is served again", async () => {
    const directory = copied();
    const { url, events, stop } = await startServer([directory]);
    const path = join(directory, artifact);
    appendFileSync(path, " ");
    await healthOf(url, 503);
    copyFileSync(join(published.directory, artifact), path);
    await healthOf(url, 200);
    expect(await accountsOf(await postSnapshot(url, { timestamp: published.timestamp }))).toHaveLength(103);
    expect(events.map(({ type }) => type).slice(-2)).toEqual(["changed", "recovered"]);
    expect((await stop()).snapshots).toMatchObject([{ problem: null }]);
  });

  it("that is linked or touched stays served, because its bytes are the same", async () => {
    const directory = copied();
    const { url, events } = await startServer([directory]);
    linkSync(join(directory, artifact), join(temporaryDirectory(), "seed"));
    utimesSync(join(directory, "partition-00001.json"), new Date(), new Date());
    await healthOf(url, 200);
    expect(await accountsOf(await postSnapshot(url, { timestamp: published.timestamp }))).toHaveLength(103);
    expect(events.filter(({ type }) => type === "changed")).toEqual([]);
  });

  it("that changes does not affect other snapshots, and the result names it", async () => {
    const [directory, other] = [copied(), join(temporaryDirectory(), "other")];
    const second = await snapshotWith(other, undefined, { snapshotCycle: 7 });
    const { url, stop } = await startServer([directory, second]);
    rmSync(join(directory, artifact));
    const { snapshots } = await healthOf(url, 503);
    expect(snapshots.map(({ state }) => state).sort()).toEqual(["changed", "verified"]);
    const { timestamp } = JSON.parse(readFileSync(join(second, "export-manifest.json"), "utf8")).snapshot;
    expect(await accountsOf(await postSnapshot(url, { timestamp }))).not.toHaveLength(0);
    const problems = (await stop()).snapshots.map(({ problem }) => problem);
    expect(problems).toEqual([`${artifact}: it is missing`, null]);
  });
});
