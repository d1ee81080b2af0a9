import fc from "fast-check";
import { createBLAKE2b } from "hash-wasm";
import { describe, expect, it } from "vitest";
import { DEFAULT_HASH_KEY, hashText, RunningHash } from "../../../src/protocol/crypto/hash.ts";
import { seeded } from "../../helpers/seeded.ts";

const hashKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const someKeys = [DEFAULT_HASH_KEY, "00".repeat(32), "ff".repeat(32)];
const bytes = fc.uint8Array({ maxLength: 700 });

async function independent(key: string, data: Uint8Array): Promise<string> {
  const hash = await createBLAKE2b(256, Buffer.from(key, "hex"));
  return hash.init().update(data).digest("hex");
}

describe("the hash of a text", () => {
  it("is keyed BLAKE2b of 32 bytes for any key", async () => {
    const property = fc.asyncProperty(hashKey, bytes, async (key, data) => {
      expect(hashText(data, key)).toBe(await independent(key, data));
    });
    await fc.assert(property, seeded(150));
  });

  it("is that of its UTF-8 bytes", () => {
    const property = fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(hashText(text)).toBe(hashText(Buffer.from(text, "utf8")));
    });
    fc.assert(property, seeded(200));
  });

  it("differs for each key and for each text", () => {
    const hashes = someKeys.flatMap((key) => ["", "a", "b"].map((text) => hashText(text, key)));
    expect(new Set(hashes).size).toBe(9);
  });

  it("ignores the case of the key", () => {
    expect(hashText("a", DEFAULT_HASH_KEY.toUpperCase())).toBe(hashText("a"));
  });

  it.each([
    { id: "empty", key: "" },
    { id: "one byte too few", key: "ab".repeat(31) },
    { id: "one byte too many", key: "ab".repeat(33) },
    { id: "half a byte too many", key: `${"ab".repeat(32)}a` },
    { id: "not hex", key: "g".repeat(64) },
    { id: "surrounded by white space", key: ` ${"ab".repeat(31)} ` },
  ])("rejects an invalid key: $id", ({ key }) => {
    expect(() => hashText("a", key)).toThrow(RangeError);
    expect(() => new RunningHash(key)).toThrow("64 hex digits");
  });
});

describe("a running hash", () => {
  it("does not depend on how its input is split into chunks", () => {
    const property = fc.property(
      fc.array(bytes, { maxLength: 12 }),
      fc.constantFrom(...someKeys),
      (chunks, key) => {
        const running = new RunningHash(key);
        for (const chunk of chunks) running.update(chunk);
        expect(running.digest()).toBe(hashText(Buffer.concat(chunks), key));
      },
    );
    fc.assert(property, seeded(300));
  });

  it("is independent of other hashes that run concurrently, with any keys", () => {
    const step = fc.record({
      hash: fc.nat(4),
      chunk: fc.uint8Array({ maxLength: 300 }),
      whole: fc.boolean(),
    });
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const running = Array.from({ length: 5 }, (_, index) => {
        const key = someKeys[index % someKeys.length];
        return { key, hash: new RunningHash(key), fed: [] as Uint8Array[] };
      });
      for (const { hash: index, chunk, whole } of steps) {
        const one = running[index];
        one?.hash.update(chunk);
        one?.fed.push(chunk);
        if (whole) hashText(chunk);
      }
      for (const { key, hash, fed } of running) expect(hash.digest()).toBe(hashText(Buffer.concat(fed), key));
    });
    fc.assert(property, seeded(200));
  });

  it("can be copied at any moment, and the copy is independent", () => {
    const property = fc.property(bytes, bytes, bytes, fc.boolean(), (before, own, other, disturbed) => {
      const running = new RunningHash().update(before);
      if (disturbed) hashText("in between");
      const copy = running.copy();
      copy.update(other);
      running.update(own);
      expect(copy.copy().digest()).toBe(hashText(Buffer.concat([before, other])));
      expect(running.digest()).toBe(hashText(Buffer.concat([before, own])));
      expect(copy.digest()).toBe(hashText(Buffer.concat([before, other])));
    });
    fc.assert(property, seeded(300));
  });

  it("copies the key as well", () => {
    const [, zeros] = someKeys;
    expect(new RunningHash(zeros).copy().update(Buffer.from("a")).digest()).toBe(hashText("a", zeros));
  });
});
