/** Which snapshot a network starts from, and whom it may ask for it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type OriginFlags, openOrigin } from "../../../src/testnet/live/restart/snapshot-origin.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../../helpers/temporary.ts";
import { program, run } from "../../live/running-cluster.ts";
import { snapshotWith } from "../../restore/restorable.ts";

const digest = "a".repeat(64);
const host = "127.0.0.1";
const opened = async (flags: OriginFlags) => await openOrigin(flags, host, undefined);

it("is a snapshot with a digest, of several servers in their order", async () => {
  const from = "http://127.0.0.1:4000/, https://mirror.example/snapshots";
  const { wanted } = await opened({ from, fromDigest: digest });
  expect(wanted).toEqual({ servers: ["http://127.0.0.1:4000", "https://mirror.example/snapshots"], digest });
});

it.each([
  {
    flags: { from: "http://127.0.0.1:4000" },
    says: "missing --from-digest: a server may lie about a snapshot",
  },
  {
    flags: { from: "http://127.0.0.1:4000", fromDigest: digest, fromTimestamp: 1 },
    says: "--from-timestamp is given with URLs",
  },
  {
    flags: { from: "http://127.0.0.1:4000,snapshots", fromDigest: digest },
    says: "--from has a part that is not a URL",
  },
  {
    flags: { from: "http://user:secret@127.0.0.1:4000", fromDigest: digest },
    says: "--from has a URL with a user name",
  },
])("is refused where the options do not say it: $says", async ({ flags, says }) => {
  await expect(opened(flags)).rejects.toMatchObject({ code: "usage", message: says });
});

describe("a directory of snapshots", async () => {
  const out = makeTemporaryDirectory();
  afterAll(() => removeDirectory(out));
  const older = await snapshotWith(out, undefined, { snapshotCycle: 7 });
  const newer = await snapshotWith(out);
  const timestampOf = (directory: string) => Number(/\d+$/.exec(directory)?.[0]);

  it("is served, and its newest snapshot is taken, or the one of a timestamp", async () => {
    const digests = [];
    for (const fromTimestamp of [undefined, timestampOf(newer), timestampOf(older)]) {
      const origin = await opened({ from: out, fromTimestamp });
      const [url] = origin.wanted.servers;
      const response = await fetch(`${url}/snapshots`);
      const { snapshots } = (await response.json()) as { snapshots: { digest: string; timestamp: number }[] };
      const wanted = fromTimestamp ?? timestampOf(newer);
      expect(snapshots.find((one) => one.digest === origin.wanted.digest)?.timestamp).toBe(wanted);
      digests.push(origin.wanted.digest);
      await origin.close();
      await expect(fetch(`${url}/snapshots`)).rejects.toThrow();
    }
    expect(new Set(digests).size).toBe(2);
  });

  it("is no longer served when the process that started the server has ended in any way", async () => {
    const preloaded = new URL("../../../dist/testnet/live/restart/end-with-parent.js", import.meta.url).href;
    const args = ["--import", preloaded, program, "serve", newer, "--listen", `${host}:0`, "--json"];
    const server = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    let lines = "";
    for await (const text of server.stdout) {
      lines += String(text);
      if (lines.includes('"listening"')) break;
    }
    server.stdin.destroy();
    expect(await once(server, "exit")).toEqual([0, null]);
  });

  it("without the wanted snapshot is refused", async () => {
    await expect(opened({ from: out, fromTimestamp: 5, fromDigest: digest })).rejects.toMatchObject({
      code: "no-such-snapshot",
      message: `${out} has no snapshot with the digest ${digest} and the timestamp 5`,
    });
  });

  it("that is damaged is refused, as `serve` refuses it", async () => {
    const damaged = join(temporaryDirectory(), "snapshot");
    cpSync(newer, damaged, { recursive: true });
    cpSync(join(older, "partition-00001.json"), join(damaged, "partition-00001.json"));
    await expect(opened({ from: damaged })).rejects.toMatchObject({
      code: "verification",
      message: expect.stringContaining("cannot serve the snapshot: ") as string,
    });
  });
});

describe("`cluster --live`", () => {
  it.each([
    {
      args: ["--resume", "old"],
      says: "--from-digest, --from-timestamp or --resume is given without --from",
    },
    {
      args: ["--from", "http://127.0.0.1:9", "--accounts", "5"],
      says: "--accounts or --global-accounts is given with --from",
    },
    {
      args: ["--from", "http://127.0.0.1:9", "--from-digest", digest, "--fault", "2:down"],
      says: "node 2 is down, and the network would wait for it",
    },
  ])("refuses $args", async ({ args, says }) => {
    expect(await run(program, ["cluster", "--live", "--json", ...args])).toMatchObject({
      status: 2,
      error: { message: says },
    });
  });
});
