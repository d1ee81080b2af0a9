import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeBufferBytes } from "../../src/limits/disk.ts";
import { type AccountCopy, readCopies } from "../../src/restore/account-copy.ts";
import { failureOf } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

function copyOf(number: number, dataBytes: number): AccountCopy {
  const accountId = number.toString(16).padStart(64, "0");
  // Text like a separator, and characters of several bytes, at every offset of a read.
  const data = `,{"accountId":"„${"ü".repeat(dataBytes / 2)}`;
  return { accountId, data, hash: "h", isGlobal: 0, timestamp: number };
}

async function readAll(text: string): Promise<AccountCopy[]> {
  const path = join(temporaryDirectory(), "partition-00000.json");
  writeFileSync(path, text);
  const copies: AccountCopy[] = [];
  for await (const some of readCopies(path)) copies.push(...some);
  return copies;
}

describe("the copies of an artifact", () => {
  it.each([0, 1, 2, 3, 700])("are read one by one and in order: %i of them", async (count) => {
    const copies = Array.from({ length: count }, (_, index) => copyOf(index, 2 * index));
    expect(await readAll(JSON.stringify(copies))).toEqual(copies);
  });

  it("are read where a separator lies across two reads", async () => {
    const [second, third] = [copyOf(2, 10), copyOf(3, 10)];
    for (let offset = -20; offset <= 20; offset++) {
      const empty = JSON.stringify([{ ...copyOf(1, 0), data: "" }]).length - 1;
      const first = { ...copyOf(1, 0), data: "x".repeat(writeBufferBytes - empty + offset) };
      expect(await readAll(JSON.stringify([first, second, third]))).toEqual([first, second, third]);
    }
  });

  it("are read where one is larger than several reads", async () => {
    const copies = [copyOf(1, 10), copyOf(2, 5 * writeBufferBytes), copyOf(3, 10)];
    expect(await readAll(JSON.stringify(copies))).toEqual(copies);
  });

  const copy = JSON.stringify(copyOf(1, 2));
  it.each([
    { id: "nothing", text: "" },
    { id: "no end", text: `[${copy}` },
    { id: "half a copy", text: `[${copy.slice(0, 90)}` },
    { id: "no beginning", text: `${copy}]` },
    { id: "another value", text: "17" },
    { id: "other objects", text: '[{"a":1}]' },
    { id: "text after the end", text: `[${copy}][` },
    { id: "a copy without a hash", text: `[${copy},${copy.replace('"hash"', '"hasch"')}]` },
  ])("are refused in a file with $id", async ({ text }) => {
    expect((await failureOf(readAll(text))).code).toBe("verification");
  });
});
