import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { writeBufferBytes } from "../../src/limits/disk.ts";
import { COPY_PREFIX } from "../../src/protocol/account-copy.ts";
import { ADDRESS_DIGITS } from "../../src/protocol/address.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { makeShard } from "../../src/protocol/shard.ts";
import { gzipFile } from "../../src/store/artifact-file.ts";
import { scanArtifact } from "../../src/store/scan-artifact.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const key = DEFAULT_HASH_KEY;
const single = makeShard({ numNodes: 1 });

function written(content: string | Buffer, name = "artifact"): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
}

describe("the scan of an artifact", () => {
  it("returns its hash, and the numbers of its accounts and bytes", async () => {
    const accounts = makeAccounts(single, { perPartition: 300, globals: 0, padding: 2000 });
    const text = partitionPreimages(accounts, single).get(asPartition(0)) ?? "";
    expect(Buffer.byteLength(text)).toBeGreaterThan(2 * writeBufferBytes);
    const expected = {
      hash: hashText(text),
      accounts: 300,
      bytes: Buffer.byteLength(text),
      firstId: accounts[0]?.accountId,
      lastId: accounts.at(-1)?.accountId,
    };
    const path = written(text);
    expect(await scanArtifact(path, "none", key)).toEqual(expected);
    await gzipFile(path, `${path}.gz`);
    expect(await scanArtifact(`${path}.gz`, "gzip", key)).toEqual({
      ...expected,
      fileHash: hashText(readFileSync(`${path}.gz`)),
    });
  });

  it("counts each account once, wherever chunks end", async () => {
    const [first, second, third] = ["1", "2", "3"].map((digit) => digit.repeat(ADDRESS_DIGITS));
    const copy = (id: string | undefined, rest = "") => `${COPY_PREFIX}${id}","data":"${rest}"}`;
    const end = `,${copy(third)}]`;
    // The text before the second account's ID is split between two chunks at every position.
    for (let before = 0; before <= COPY_PREFIX.length + ADDRESS_DIGITS + 2; before++) {
      const head = `[${copy(first)}`.replace(/"}$/, "");
      const fill = "x".repeat(writeBufferBytes - before - head.length - '"},'.length);
      const text = `${head}${fill}"},${copy(second)}${before % 2 === 0 ? end : "]"}`;
      expect(text.indexOf(copy(second))).toBe(writeBufferBytes - before);
      expect(await scanArtifact(written(text), "none", key), `${before} bytes before the seam`).toEqual({
        hash: hashText(text),
        accounts: before % 2 === 0 ? 3 : 2,
        bytes: text.length,
        firstId: first,
        lastId: before % 2 === 0 ? third : second,
      });
    }
  });

  it("accepts an empty partition", async () => {
    const noAccounts = { accounts: 0, firstId: undefined, lastId: undefined };
    expect(await scanArtifact(written("[]"), "none", key)).toEqual({
      hash: hashText("[]"),
      bytes: 2,
      ...noAccounts,
    });
    expect(await scanArtifact(written(""), "none", key)).toEqual({
      hash: hashText(""),
      bytes: 0,
      ...noAccounts,
    });
  });

  it("does not count accounts inside the data of an account", async () => {
    const text = JSON.stringify([{ accountId: "a", data: `[${COPY_PREFIX}b"}]` }]);
    expect((await scanArtifact(written(text), "none", key)).accounts).toBe(1);
  });

  it.each([
    { id: "not gzip", content: Buffer.from("[]") },
    { id: "truncated", content: gzipWritten("[1,2,3]").subarray(0, -4) },
    { id: "gzip with a byte changed", content: withByteChanged(gzipWritten("[1,2,3]"), 12) },
    {
      id: "gzip with a wrong checksum",
      content: withByteChanged(gzipWritten("[1,2,3]"), gzipWritten("[1,2,3]").length - 7),
    },
    { id: "gzip with trailing bytes", content: Buffer.concat([gzipWritten("[]"), Buffer.from("more")]) },
    { id: "gzip with another header", content: withByteChanged(gzipWritten("[]"), 5) },
  ])("fails for a compressed artifact that is $id", async ({ content }) => {
    await expect(scanArtifact(written(content), "gzip", key)).rejects.toThrow();
  });

  it("fails for a missing artifact", async () => {
    for (const compression of ["none", "gzip"] as const) {
      const path = join(temporaryDirectory(), "nothing");
      await expect(scanArtifact(path, compression, key)).rejects.toMatchObject({ code: "ENOENT" });
    }
  });
});

/** Gzip with the header of artifacts, which names no system. */
function gzipWritten(text: string): Buffer {
  const bytes = gzipSync(text);
  bytes[9] = 0xff;
  return bytes;
}

function withByteChanged(bytes: Buffer, place: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(place) ^ 0xff, place);
  return changed;
}
