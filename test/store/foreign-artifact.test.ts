import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import type { Compression } from "../../src/format/artifact.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { copyPlain } from "../../src/store/foreign-artifact.ts";
import { PartialSnapshot } from "../../src/store/partial-snapshot.ts";
import { failCalls } from "../helpers/failing-disk.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const text = `[${"1".repeat(1000)}]`;
const hash = hashText(text);
const partition = asPartition(0);

async function setUp() {
  const out = temporaryDirectory();
  const path = join(temporaryDirectory(), "artifact");
  writeFileSync(path, text);
  const target = { out, timestamp: 1_700_000_640_000, compression: "none" as Compression, numPartitions: 1 };
  const partial = await PartialSnapshot.open(target);
  const adopted = () => join(partial.directory, "partition-00000.json");
  return {
    partial,
    path,
    adopted,
    adopt: () => partial.adopt(partition, hash, { path, compression: "none" }),
  };
}

it("is taken over without a copy, and not changed", async () => {
  const { path, adopted, adopt } = await setUp();
  expect(await adopt()).toMatchObject({ hash, bytes: text.length });
  expect(readFileSync(adopted(), "utf8")).toBe(text);
  expect(readFileSync(path, "utf8")).toBe(text);
});

it.each(["EIO", "EACCES"] as const)("is passed over if reading it fails with %s", async (code) => {
  const { partial, adopted, adopt } = await setUp();
  const end = failCalls("open", code, () => true);
  expect(await adopt()).toBeUndefined();
  end();
  expect(existsSync(adopted())).toBe(false);
  expect(readdirSync(join(partial.directory, "incoming"))).toEqual([]);
});

it("is what was hashed, even if the name leads to another file then", async () => {
  const { path, adopted, adopt } = await setUp();
  const other = `${path}.other`;
  writeFileSync(other, "[]");
  // The scan opens what it hashes; the name leads elsewhere from then on.
  failCalls("open", "EIO", () => {
    if (existsSync(other)) renameSync(other, path);
    return false;
  });
  expect(await adopt()).toMatchObject({ hash });
  expect(existsSync(other)).toBe(false);
  expect(readFileSync(adopted(), "utf8")).toBe(text);
});

it("is copied no further than a bound, whatever a compressed file contains", async () => {
  const directory = temporaryDirectory();
  const [path, copy] = [join(directory, "bomb"), join(directory, "copy")];
  const bomb = gzipSync(Buffer.alloc(10_000_000));
  bomb[9] = 0xff;
  writeFileSync(path, bomb);
  expect(await copyPlain({ path, compression: "gzip" }, copy, 1_000_000)).toBe(false);
  expect(existsSync(copy)).toBe(false);
  expect(await copyPlain({ path, compression: "gzip" }, copy, 10_000_000)).toBe(true);
  expect(statSync(copy).size).toBe(10_000_000);
});
