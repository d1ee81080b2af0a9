import { describe, expect, it } from "vitest";
import { COUNTING_FILE } from "../../../src/format/evidence/counting-rules.ts";
import { auditNotesMax } from "../../../src/limits/snapshot.ts";
import { canonicalTextOf } from "../../../src/protocol/crypto/canonical-text.ts";
import { hashText } from "../../../src/protocol/crypto/hash.ts";
import { archiver, auditOf, byArchiver, findingsOf } from "../written-snapshot.ts";

describe("an audit", () => {
  it("reads a file with its hash", async () => {
    const audit = await auditOf({ counting: { any: 1 } });
    const read = await audit.read(COUNTING_FILE, "evidence", (received) => received);
    expect(read).toEqual({ value: { any: 1 }, hash: hashText('{"any":1}') });
    expect(findingsOf(audit)).toEqual([]);
  });

  it("has a finding of the given kind for a file that cannot be read or parsed", async () => {
    const audit = await auditOf();
    expect(await audit.read("evidence/none.json", "chain", (received) => received)).toBeUndefined();
    const parse = () => {
      throw new Error("malformed");
    };
    expect(await audit.read(COUNTING_FILE, "sharding", parse)).toBeUndefined();
    expect(findingsOf(audit)).toEqual([
      expect.stringMatching(/^chain evidence\/none\.json: ENOENT/),
      "sharding evidence/counting.json: malformed",
    ]);
  });

  it("has a finding for content without canonical text, and passes other errors on", async () => {
    const audit = await auditOf();
    const nested = () => canonicalTextOf(JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`));
    expect(audit.hashing(COUNTING_FILE, "sharding", nested)).toBeUndefined();
    expect(findingsOf(audit)).toEqual([expect.stringMatching(/^sharding .*: it has no canonical text: /)]);
    expect(audit.hashing(COUNTING_FILE, "sharding", () => 7)).toBe(7);
    const bug = () => {
      throw new Error("a bug");
    };
    expect(() => audit.hashing(COUNTING_FILE, "sharding", bug)).toThrow("a bug");
  });

  it("keeps a bounded number of notes, and counts the others", async () => {
    const audit = await auditOf();
    for (let number = 0; number < auditNotesMax; number++) audit.note(`note ${number}`);
    expect(audit.notes).toHaveLength(auditNotesMax);
    audit.note("one");
    audit.note("two");
    expect(audit.notes.at(-1)).toBe("2 more notes");
    expect(audit.notes).toHaveLength(auditNotesMax + 1);
  });

  it("finds the signer of a list under the hash key of the snapshot", async () => {
    const audit = await auditOf();
    expect(audit.signerOf(byArchiver({ a: 1 }))).toEqual({ key: archiver.publicKey });
  });
});
