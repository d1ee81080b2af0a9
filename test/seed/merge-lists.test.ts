import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BaseFile } from "../../src/artifact/response-report.ts";
import { listReadBytes, seedCopyBytesMax } from "../../src/limits/seed.ts";
import { accountCopyText, type WrappedData } from "../../src/protocol/account-copy.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { mergeLists } from "../../src/seed/merge-lists.ts";
import { gzipFile } from "../../src/store/artifact-file.ts";
import { byId, makeAccount } from "../helpers/accounts.ts";
import { seeded } from "../helpers/seeded.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const hashKey = DEFAULT_HASH_KEY;
const low = "0".repeat(64);
const high = "f".repeat(64);
const timestamp = 1_700_000_100_000;

function listOf(accounts: readonly WrappedData[]): string {
  return `[${accounts.map(accountCopyText).join(",")}]`;
}

function account(id: number, timestampMs: number, padding = 0): WrappedData {
  const accountId = id.toString(16).padStart(8, "0").padEnd(64, "5");
  return { ...makeAccount(accountId, padding), timestamp: timestampMs };
}

/** Merges lists, and returns the resulting text with what the merge reported. */
async function merge(
  base: readonly { readonly text: string | Buffer; readonly file?: Partial<BaseFile> }[],
  received: string | undefined,
) {
  const directory = temporaryDirectory();
  const files = base.map(({ text, file }, index): BaseFile => {
    const path = join(directory, `base-${index}`);
    writeFileSync(path, text);
    return { path, compression: "none", low, high, ...file };
  });
  const receivedPath = received === undefined ? undefined : join(directory, "received");
  if (receivedPath !== undefined) writeFileSync(receivedPath, received ?? "");
  const path = join(directory, "merged");
  const merged = await mergeLists({ base: files, received: receivedPath, path, hashKey, timestamp });
  return { text: readFileSync(path, "utf8"), ...merged };
}

const idsAndTimes = fc.uniqueArray(
  fc.record({
    id: fc.nat({ max: 60 }),
    ms: fc.constantFrom(1, 2, 3),
    padding: fc.constantFrom(0, 10, 40_000),
  }),
  { selector: ({ id }) => id, maxLength: 40 },
);

function accountsOf(specs: readonly { id: number; ms: number; padding: number }[]): WrappedData[] {
  return specs.map(({ id, ms, padding }) => account(id, timestamp - 10 + ms, padding)).sort(byId);
}

/** The union as a map would make it. */
function unionOf(base: readonly WrappedData[], received: readonly WrappedData[]): WrappedData[] {
  const union = new Map(base.map((own) => [own.accountId, own]));
  for (const other of received) {
    const own = union.get(other.accountId);
    if (own === undefined || own.timestamp <= other.timestamp) union.set(other.accountId, other);
  }
  return [...union.values()].sort(byId);
}

describe("a completed partition", () => {
  it("is the sorted union of its base and the response, the newer of two accounts", async () => {
    const property = fc.asyncProperty(idsAndTimes, idsAndTimes, async (base, received) => {
      const [own, others] = [accountsOf(base), accountsOf(received)];
      const expected = listOf(unionOf(own, others));
      const merged = await merge([{ text: listOf(own) }], listOf(others));
      expect(merged.text).toBe(expected);
      expect(merged.hash).toBe(hashText(expected));
      expect(merged.accounts).toBe(unionOf(own, others).length);
      expect(merged.bytes).toBe(Buffer.byteLength(expected));
    });
    await fc.assert(property, seeded(60));
  });

  it("is cut out of several files by address, whatever their number and compression", async () => {
    const all = Array.from({ length: 400 }, (_, id) => account(id * 1_000, timestamp, 3_000));
    const property = fc.asyncProperty(
      fc.array(fc.nat({ max: 400 }), { maxLength: 4 }),
      fc.nat({ max: 400_000 }),
      fc.nat({ max: 400_000 }),
      fc.boolean(),
      async (cuts, a, b, isCompressed) => {
        const borders = [0, ...cuts.sort((x, y) => x - y), all.length];
        const range = [a, b].sort((x, y) => x - y).map((id) => id.toString(16).padStart(8, "0"));
        const file = { low: `${range[0]}${"0".repeat(56)}`, high: `${range[1]}${"f".repeat(56)}` };
        const directory = temporaryDirectory();
        const texts = borders.slice(1).map((to, index) => listOf(all.slice(borders[index], to)));
        const files: { text: string | Buffer; file: Partial<BaseFile> }[] = [];
        for (const [index, text] of texts.entries()) {
          if (!isCompressed) files.push({ text, file });
          else {
            const plain = join(directory, `${index}`);
            writeFileSync(plain, text);
            await gzipFile(plain, `${plain}.gz`);
            files.push({ text: readFileSync(`${plain}.gz`), file: { ...file, compression: "gzip" } });
          }
        }
        const within = all.filter(({ accountId }) => file.low <= accountId && accountId <= file.high);
        expect((await merge(files, undefined)).text).toBe(listOf(within));
      },
    );
    await fc.assert(property, seeded(25));
  });

  it("takes accounts over that are larger than a read, and those that cross reads", async () => {
    const sizes = [10, listReadBytes, 3 * listReadBytes, 100, listReadBytes - 300, 2 * listReadBytes, 5];
    const own = sizes.map((padding, id) => account(2 * id, timestamp, padding));
    const others = [account(3, timestamp, 10), account(6, timestamp, listReadBytes)];
    const merged = await merge([{ text: listOf(own) }], listOf(others));
    expect(merged.text).toBe(listOf(unionOf(own, others)));
  });

  it("continues a beginning that ends within an account where the caller says that it ends", async () => {
    const own = [account(1, timestamp), account(2, timestamp), account(3, timestamp)];
    const whole = listOf(own);
    const beginning = listOf(own.slice(0, 2)).slice(0, -1);
    const torn = { text: whole.slice(0, -20), file: { bytes: Buffer.byteLength(beginning) } };
    expect((await merge([torn], listOf([account(3, timestamp)]))).text).toBe(whole);
    expect((await merge([{ text: `${beginning},` }], listOf([account(3, timestamp)]))).text).toBe(whole);
  });

  it("ignores an account of the base that is newer than the snapshot", async () => {
    const merged = await merge(
      [{ text: listOf([account(1, timestamp + 1)]) }],
      listOf([account(1, timestamp - 5)]),
    );
    expect(merged.text).toBe(listOf([account(1, timestamp - 5)]));
  });

  it("is empty without accounts", async () => {
    expect((await merge([{ text: "[]" }], "[]")).text).toBe("[]");
    expect((await merge([], undefined)).text).toBe("[]");
  });

  it("is not made of a base that goes on without accounts", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "sparse");
    writeFileSync(path, "");
    truncateSync(path, 2 ** 43);
    const base = [{ path, compression: "none", low, high } as const];
    const order = { base, received: undefined, path: join(directory, "merged"), hashKey, timestamp };
    await expect(mergeLists(order)).rejects.toThrow(/bytes that are no account/);
  });

  it("is not made of a base with an account of more than the bound", async () => {
    const endless = Buffer.concat([
      Buffer.from(listOf([account(1, 1)]).slice(0, 100)),
      Buffer.alloc(2 * seedCopyBytesMax),
    ]);
    await expect(merge([{ text: endless }], undefined)).rejects.toThrow(
      /account of more than 16777216 bytes/,
    );
  });

  it("is not made of a damaged compressed base", async () => {
    const text = gzipSync(listOf([account(1, 1)]));
    await expect(merge([{ text, file: { compression: "gzip" } }], undefined)).rejects.toThrow(/gzip header/);
  });

  it("does not replace a file", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "taken");
    writeFileSync(path, "kept");
    const order = { base: [], received: undefined, path, hashKey, timestamp };
    await expect(mergeLists(order)).rejects.toMatchObject({ code: "EEXIST" });
    expect(readFileSync(path, "utf8")).toBe("kept");
  });
});
