/** A plain artifact is read from the place of an account on. */

import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { serveReadBytes } from "../../src/limits/serve.ts";
import { seekAccount } from "../../src/serve/accounts/seek-account.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const address = (value: number) => value.toString(16).padStart(64, "0");
const idOf = (index: number) => address(10 * index + 10);

/** An artifact of accounts with data of these lengths, which contain what looks like the beginning of a copy. */
function artifactWith(lengths: readonly number[]): string {
  const path = join(temporaryDirectory(), "partition-00000.json");
  const copies = lengths.map((length, index) => ({
    accountId: idOf(index),
    data: `,{"accountId":"${"f".repeat(64)}"${"x".repeat(length)}`,
    hash: "ab".repeat(32),
    isGlobal: 0,
    timestamp: 1,
  }));
  writeFileSync(path, JSON.stringify(copies));
  return path;
}

const many = Array.from({ length: 20_000 }, (_, index) => index % 97);
const oneLarge = many.map((length, index) => (index === 7_000 ? 3_000_000 : length));

describe.each([
  { id: "many accounts", lengths: many },
  { id: "one account of many reads", lengths: oneLarge },
])("an artifact of $id", ({ lengths }) => {
  it("is read from a copy before the wanted one on, and from one near it", async () => {
    const path = artifactWith(lengths);
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      const text = Buffer.alloc(size);
      await handle.read(text, 0, size, 0);
      const offsetOf = (index: number) => text.indexOf(`{"accountId":"${idOf(index)}"`);
      for (const index of [0, 1, 4_999, 6_999, 7_000, 7_001, 12_345, 19_998, 19_999]) {
        for (const wanted of [idOf(index), address(10 * index + 9), address(10 * index + 1)]) {
          const offset = await seekAccount(handle, wanted);
          const place = offsetOf(index);
          expect(offset).toBeLessThanOrEqual(place);
          const isAtCopy = text.subarray(offset, offset + 14).toString() === '{"accountId":"';
          expect(offset === 0 || isAtCopy).toBe(true);
          // Of what is before it, at most a read and the copies at its ends.
          expect(place - offset).toBeLessThanOrEqual(
            2 * serveReadBytes + (lengths[index - 1] ?? 0) + (lengths[7_000] ?? 0),
          );
        }
      }
      expect(await seekAccount(handle, "0".repeat(64))).toBe(0);
      expect(size - (await seekAccount(handle, "f".repeat(64)))).toBeLessThanOrEqual(2 * serveReadBytes);
    } finally {
      await handle.close();
    }
  });
});

describe("an artifact without accounts", () => {
  it("is read from its beginning on", async () => {
    const handle = await open(artifactWith([]));
    try {
      expect(await seekAccount(handle, idOf(5))).toBe(0);
    } finally {
      await handle.close();
    }
  });
});
