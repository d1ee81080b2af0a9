import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listReadBytes } from "../../src/limits/seed.ts";
import { accountCopyText } from "../../src/protocol/account-copy.ts";
import { scanBeginning } from "../../src/seed/beginning.ts";
import { makeAccount } from "../helpers/accounts.ts";
import { seeded } from "../helpers/seeded.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const range = { low: "1".padEnd(64, "0"), high: "9".padEnd(64, "f") };
const idOf = (number: number) => `2${number.toString(16).padStart(7, "0")}`.padEnd(64, "3");
const accounts = Array.from({ length: 30 }, (_, number) =>
  makeAccount(idOf(number), number % 7 === 3 ? listReadBytes / 4 : 1_000),
);
const text = `[${accounts.map(accountCopyText).join(",")}]`;

function fileWith(content: string | Buffer): string {
  const path = join(temporaryDirectory(), "0-1.whole.json");
  writeFileSync(path, content);
  return path;
}

describe("the beginning of a partition", () => {
  it("is whole up to the account before the last one, wherever the file is torn", async () => {
    const path = fileWith(text);
    const bytes = Buffer.from(text);
    const property = fc.asyncProperty(fc.nat({ max: bytes.length }), async (length) => {
      writeFileSync(path, bytes);
      truncateSync(path, length);
      const whole = await scanBeginning(path, range);
      const torn = bytes.toString("utf8", 0, length);
      const heads = accounts.filter(({ accountId }) => torn.includes(`{"accountId":"${accountId}`));
      expect(whole?.lastId).toBe(heads.at(-2)?.accountId);
      if (whole === undefined) return;
      const expected = `[${accounts
        .slice(0, heads.length - 1)
        .map(accountCopyText)
        .join(",")}`;
      expect(bytes.toString("utf8", 0, whole.bytes)).toBe(expected);
    });
    await fc.assert(property, seeded(40));
  });

  it.each([
    { id: "out of order", ids: [1, 2, 5, 4, 6], whole: 2 },
    { id: "repeated", ids: [1, 2, 2, 3], whole: 1 },
  ])("ends before an account that is $id", async ({ ids, whole }) => {
    const list = ids.map((number) => accountCopyText(makeAccount(idOf(number))));
    const scan = await scanBeginning(fileWith(`[${list.join(",")}]`), range);
    expect(scan?.lastId).toBe(idOf(whole));
  });

  it("ends before an account outside of the partition", async () => {
    const ids = [idOf(1), idOf(2), "a".repeat(64), "b".repeat(64)];
    const list = ids.map((id) => accountCopyText(makeAccount(id)));
    expect((await scanBeginning(fileWith(`[${list.join(",")}]`), range))?.lastId).toBe(idOf(1));
  });

  it.each([
    { id: "an empty file", content: "" },
    { id: "zero bytes, as after a power failure", content: Buffer.alloc(3 * listReadBytes) },
    { id: "one account", content: `[${accountCopyText(makeAccount(idOf(1)))}]` },
  ])("is nothing in $id", async ({ content }) => {
    expect(await scanBeginning(fileWith(content), range)).toBeUndefined();
  });
});
