import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { readTrustedNodeList } from "../../src/verify/trusted-node-list.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { archiver, byArchiver, hashKey, identities, rows } from "./written-snapshot.ts";

function fileOf(content: unknown): string {
  const file = join(temporaryDirectory(), "nodes.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

describe("the auditor's node list", () => {
  it("is read with its hash and its signer", async () => {
    const content = byArchiver({ nodeList: rows });
    const file = fileOf(content);
    const { list, source, hash, signer } = await readTrustedNodeList(file, hashKey);
    expect(list.nodes.map(({ id }) => id)).toEqual(identities.map(({ id }) => id));
    expect([source, hash, signer]).toEqual([file, hashText(JSON.stringify(content)), archiver.publicKey]);
  });

  it("has no signer without a valid signature", async () => {
    expect((await readTrustedNodeList(fileOf(rows), hashKey)).signer).toBeUndefined();
    const changed = fileOf({ ...byArchiver({ nodeList: [] }), nodeList: rows });
    expect((await readTrustedNodeList(changed, hashKey)).signer).toBeUndefined();
  });

  it.each([
    { id: "is not JSON", content: "{", says: /nodes\.json/ },
    { id: "is not a list", content: "7", says: /nodes\.json/ },
    { id: "is empty", content: [], says: /it has no node with an ID and a key$/ },
    { id: "has only malformed nodes", content: [{ id: "x" }], says: /with an ID and a key: .*\[0\]\.id/ },
  ])("is rejected if it $id", async ({ content, says }) => {
    await expect(readTrustedNodeList(fileOf(content), hashKey)).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringMatching(says),
      hint: "Correct the file given with --trust-node-list.",
    });
  });

  it("is rejected if the file cannot be read", async () => {
    await expect(readTrustedNodeList("/nowhere/nodes.json", hashKey)).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringMatching(/^cannot read \/nowhere\/nodes\.json: /),
    });
  });

  it("is not read if the signal is aborted", async () => {
    const reason = new Error("ended");
    const read = readTrustedNodeList("/nowhere/nodes.json", hashKey, AbortSignal.abort(reason));
    await expect(read).rejects.toBe(reason);
  });
});
