import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { writeBufferBytes } from "../../src/limits/disk.ts";
import { COPY_PREFIX } from "../../src/protocol/account-copy.ts";
import { ADDRESS_DIGITS } from "../../src/protocol/address.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { makeShard } from "../../src/protocol/shard.ts";
import { gzipFile } from "../../src/store/durable.ts";
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

describe("an artifact that is read once", () => {
  it("has its hash, its accounts and its bytes counted", async () => {
    const accounts = makeAccounts(single, { perPartition: 300, globals: 0, padding: 2000 });
    const text = partitionPreimages(accounts, single).get(0) ?? "";
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

  it("has each account counted once, wherever the reads are cut", async () => {
    const [first, second, third] = ["1", "2", "3"].map((digit) => digit.repeat(ADDRESS_DIGITS));
    const copy = (id: string | undefined, rest = "") => `${COPY_PREFIX}${id}","data":"${rest}"}`;
    const end = `,${copy(third)}]`;
    // The second account's beginning lies across the seam of two reads, at every place.
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

  it("may be empty", async () => {
    const nobody = { accounts: 0, firstId: undefined, lastId: undefined };
    expect(await scanArtifact(written("[]"), "none", key)).toEqual({
      hash: hashText("[]"),
      bytes: 2,
      ...nobody,
    });
    expect(await scanArtifact(written(""), "none", key)).toEqual({ hash: hashText(""), bytes: 0, ...nobody });
  });

  it("has no accounts in the texts of its accounts", async () => {
    const text = JSON.stringify([{ accountId: "a", data: `[${COPY_PREFIX}b"}]` }]);
    expect((await scanArtifact(written(text), "none", key)).accounts).toBe(1);
  });

  it.each([
    { id: "no gzip", content: Buffer.from("[]") },
    { id: "cut off", content: gzipWritten("[1,2,3]").subarray(0, -4) },
    { id: "damaged", content: withByteChanged(gzipWritten("[1,2,3]"), 12) },
    {
      id: "of a wrong checksum",
      content: withByteChanged(gzipWritten("[1,2,3]"), gzipWritten("[1,2,3]").length - 7),
    },
    { id: "followed by something", content: Buffer.concat([gzipWritten("[]"), Buffer.from("more")]) },
    { id: "with another header", content: withByteChanged(gzipWritten("[]"), 5) },
  ])("that is compressed and $id is an error", async ({ content }) => {
    await expect(scanArtifact(written(content), "gzip", key)).rejects.toThrow();
  });

  it("that is not there is an error", async () => {
    for (const compression of ["none", "gzip"] as const) {
      const path = join(temporaryDirectory(), "nothing");
      await expect(scanArtifact(path, compression, key)).rejects.toMatchObject({ code: "ENOENT" });
    }
  });
});

/** With the header that artifacts have: no system in it. */
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
