/** A disk that is slower than the network slows down the source of the bytes, so that none gather in memory. */

import { execFileSync } from "node:child_process";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { writeBufferBytes } from "../../src/limits/disk.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { makeShard } from "../../src/protocol/shard.ts";
import { pieces } from "../canonical/chunks.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { makeTarget, receive } from "./response-target.ts";

// A new file cannot be a pipe, so existing files are opened instead.
vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs/promises")>();
  const openPipe: typeof original.open = (path, flags, mode) =>
    original.open(path, typeof flags === "number" ? "a" : flags, mode);
  return { ...original, open: openPipe };
});

it("a response is read no further than two buffers of a partition while the disk writes nothing", async () => {
  const shard = makeShard({ numNodes: 1 });
  const truth = makeAccounts(shard, { perPartition: 1_400, globals: 0, padding: 4_000 });
  const preimage = partitionPreimages(truth, shard).get(asPartition(0)) ?? "";
  const target = makeTarget({ shard, truth, nodeIndex: 0, requested: [0] });
  // A pipe without a reader accepts some bytes and then blocks.
  const path = join(target.directory, "pipe");
  execFileSync("mkfifo", [path]);
  const pipe = await open(path, "r+");
  let requested = 0;
  const taken: string[] = [];
  const chunks = (async function* () {
    for (const chunk of pieces(Buffer.from(JSON.stringify({ snapshot: truth })), 65_536)) {
      requested += chunk.length;
      yield await Promise.resolve(chunk);
    }
  })();
  const merged = receive(chunks, {
    ...target,
    place: { ...target.place, pathOf: () => path },
    commit: async (matched) => {
      taken.push(matched.path);
      await rm(matched.path);
    },
  });
  await settled(() => requested, writeBufferBytes);
  expect(requested).toBeLessThan(4 * writeBufferBytes);
  expect(preimage.length).toBeGreaterThan(20 * writeBufferBytes);

  const read: Buffer[] = [];
  let bytes = 0;
  const reading = (async () => {
    while (bytes < Buffer.byteLength(preimage)) {
      const { buffer, bytesRead } = await pipe.read(Buffer.alloc(65_536), 0, 65_536, null);
      read.push(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  })();
  expect(await merged).toMatchObject({ end: { kind: "complete" }, mismatched: [] });
  await reading;
  await pipe.close();
  expect(taken).toEqual([path]);
  expect(hashText(Buffer.concat(read))).toBe(hashText(preimage));
});

/** Waits until a number is above a bound and no longer grows. */
async function settled(number: () => number, bound: number): Promise<void> {
  for (let before = -1; before !== number() || before <= bound; ) {
    before = number();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
