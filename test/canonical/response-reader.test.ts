/** The fast path equals the slow path: for every input both produce the same copies, and the same error. */

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { heldRecordBytesMax } from "../../src/limits/response.ts";
import { makeShard } from "../../src/protocol/shard.ts";
import { type Outcome, readFast, readSlow } from "../artifact/outcome.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { seeded } from "../helpers/seeded.ts";
import { textOf, wireJson } from "../protocol/wire-json.ts";
import { cut, pieces } from "./chunks.ts";

const shard = makeShard({ numNodes: 7, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });

const digits = (text: string) => fc.stringMatching(new RegExp(`^[${text}]{64}$`));
const accountId = fc.oneof(
  { weight: 9, arbitrary: digits("0-9a-f") },
  { weight: 1, arbitrary: fc.oneof(digits("0-9A-F"), fc.string({ maxLength: 70 })) },
);
const timestamp = fc.oneof(
  { weight: 9, arbitrary: fc.nat({ max: 2 ** 45 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom("-1", "-0", "01", "1.5", "1e3", "1E400", '"1"', "null", "-", "") },
);
const stateId = fc.oneof(
  { weight: 9, arbitrary: digits("0-9a-f") },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
);
const syncData = fc.constantFrom(
  undefined,
  "null",
  "{}",
  '{"isGlobal":true}',
  '{"isGlobal":false}',
  '{"isGlobal":null}',
  '{"isGlobal":1}',
  '{"isGlobal":true,"isGlobal":false}',
  '{"isGlobal":true,"other":[{"sig":{}}]}',
  "[]",
  "1",
  '"text"',
);
const space = fc.constantFrom("", "", "", " ", "\n  ", "\t\r\n");
const reordered = fc.infiniteStream(fc.nat({ max: 6 }));

/** A field of a record, as text. */
const field = (name: string, value: string): [string, string] => [name, value];

/** Records with any data and any order of fields; some lack a field or have one twice. */
const record = fc
  .tuple(accountId, stateId, wireJson, timestamp, syncData, space, reordered, fc.nat({ max: 40 }))
  .map(([id, state, data, time, sync, between, stream, odd]) => {
    const numbers = stream[Symbol.iterator]();
    const order = <T>(entries: readonly T[]): readonly T[] => {
      const shuffled = [...entries];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = (numbers.next().value as number) % (i + 1);
        [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
      }
      return odd % 2 === 0 ? entries : shuffled;
    };
    const dataText = textOf(data, order, between);
    const fields = [
      field("accountId", JSON.stringify(id)),
      field("stateId", JSON.stringify(state)),
      field("data", odd % 5 === 0 ? JSON.stringify(dataText) : dataText),
      field("timestamp", time),
      ...(sync === undefined ? [] : [field("syncData", sync)]),
      ...(odd === 1 ? [field("data", "1")] : []),
      ...(odd === 2 ? [field("other", textOf(data, order, between))] : []),
    ];
    const kept = odd === 3 ? fields.slice(1) : fields;
    const texts = order(kept).map(([name, value]) => `"${name}"${between}:${between}${value}`);
    return `{${between}${texts.join(`${between},${between}`)}${between}}`;
  });

const response = fc
  .tuple(fc.array(record, { maxLength: 6 }), space)
  .map(([records, between]) => Buffer.from(`{"snapshot":[${records.join(`${between},${between}`)}]}`));

const places = fc.array(fc.nat({ max: 4_000 }), { maxLength: 6 });

/** `expect` takes longer to compare two outcomes than both paths to make them: it only describes a difference. */
function expectEqual(fast: Outcome, slow: Outcome, message?: string): void {
  if (!isDeepStrictEqual(fast, slow)) expect(fast, message).toEqual(slow);
}

/** Accounts as validators send them: canonical, with keys in another order, with data as text, with special cases. */
const ordinary = Buffer.from(
  JSON.stringify({ snapshot: makeAccounts(shard, { perPartition: 2, globals: 1, padding: 20 }) }),
);

/** Two records with nearly everything that the fast path accepts, short enough to change every byte. */
const dense = `{"snapshot":[{"accountId":"${"0a".repeat(32)}","stateId":"s1","data":{"b":{"dataType":"bi","value":"1f"},"a":[1,-2,true,null,"é\\n\\u001f\\"\\\\"],"u":{"dataType":"u8ab","value":"AQI="},"sig":"x","v":{"value":"","dataType":"bb"}},"timestamp":17,"syncData":{"isGlobal":true}},{"accountId":"${"0b".repeat(32)}","stateId":"","data":"{\\"t\\":1}","timestamp":0}]}`;

describe("a response", () => {
  it("is read as the slow path reads it, whatever it contains and however it is divided into chunks", () => {
    const property = fc.property(response, places, (bytes, cuts) =>
      expectEqual(readFast(cut(bytes, cuts), shard), readSlow([bytes], shard)),
    );
    fc.assert(property, seeded(3_000));
  });

  it("is read the same wherever it is divided in two", () => {
    for (const bytes of [ordinary, Buffer.from(dense)]) {
      const expected = readSlow([bytes], shard);
      for (let at = 0; at <= bytes.length; at++) {
        expectEqual(readFast([bytes.subarray(0, at), bytes.subarray(at)], shard), expected, `cut at ${at}`);
      }
    }
  });

  it("is read the same in chunks of any size", () => {
    const expected = readSlow([ordinary], shard);
    for (const size of [1, 2, 3, 7, 15, 16, 17, 64, 100, 1_000]) {
      expectEqual(readFast(pieces(ordinary, size), shard), expected, `pieces of ${size}`);
    }
  });

  it("is read the same wherever it breaks off", () => {
    const bytes = Buffer.from(dense);
    for (let length = 0; length < bytes.length; length++) {
      const begun = bytes.subarray(0, length);
      expectEqual(readFast(pieces(begun, 50), shard), readSlow([begun], shard), `${length} bytes`);
    }
  });

  it("is read the same with any white space between records", () => {
    for (const bytes of [1, 16, 17, 1_000, 65_535, 65_536, 65_537, 70_000]) {
      const spaced = Buffer.from(dense.replace("}},{", `}},${" ".repeat(bytes)}{`));
      for (const size of [1_000, 50_000, 100_000]) {
        expectEqual(readFast(pieces(spaced, size), shard), readSlow([spaced], shard));
      }
    }
  });

  it("is read the same if a record is larger than what may be held", () => {
    const record = (bytes: number, at: number) =>
      `{"accountId":"${at.toString(16).padStart(64, "0")}","stateId":"","data":{"z":"${"x".repeat(bytes)}","a":1},"timestamp":1}`;
    const sizes = [10, heldRecordBytesMax - 200, heldRecordBytesMax, heldRecordBytesMax + 1, 700_000, 20];
    const bytes = Buffer.from(`{"snapshot":[${sizes.map(record).join(",")}]}`);
    const expected = readSlow([bytes], shard);
    for (const size of [4_096, 65_536, 1_000_000]) {
      expectEqual(readFast(pieces(bytes, size), shard), expected);
    }
  });
});

describe("hostile bytes", () => {
  const nasty = [
    0x00, 0x09, 0x0a, 0x1f, 0x20, 0x22, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x3a, 0x3d, 0x41, 0x5b, 0x5c, 0x5d,
    0x61, 0x65, 0x66, 0x67, 0x6e, 0x75, 0x7b, 0x7d, 0x7f, 0x80, 0xbf, 0xc0, 0xc3, 0xed, 0xf0, 0xff,
  ];

  it("in any place have the same result on both paths", () => {
    const sent = Buffer.from(dense);
    for (let at = 0; at < sent.length; at++) {
      for (const byte of nasty) {
        const changed = Buffer.from(sent);
        changed[at] = byte;
        const [fast, slow] = [readFast([changed], shard), readSlow([changed], shard)];
        if (fast.error !== slow.error || fast.copies.join() !== slow.copies.join())
          expect(fast, `byte ${byte} at ${at}`).toEqual(slow);
      }
    }
  });

  it("after a backslash have the same result on both paths", () => {
    const hex = (code: number) => code.toString(16).padStart(4, "0");
    const codes = [
      ...Array.from({ length: 0x300 }, (_, code) => code),
      0x2028,
      0xd7ff,
      0xd800,
      0xdc00,
      0xffff,
    ];
    const escapes = [
      ...Array.from({ length: 128 }, (_, code) => `\\${String.fromCharCode(code)}`),
      ...codes.flatMap((code) => [`\\u${hex(code)}`, `\\u${hex(code).toUpperCase()}`]),
    ];
    for (const escaped of escapes) {
      for (const data of [`"${escaped}"`, `["${escaped}"]`, `{"${escaped}":1}`]) {
        const text = Buffer.from(dense.replace('"{\\"t\\":1}"', data));
        const [fast, slow] = [readFast([text], shard), readSlow([text], shard)];
        if (fast.error !== slow.error || fast.copies.join() !== slow.copies.join())
          expect(fast, data).toEqual(slow);
      }
    }
  });

  it("that resemble UTF-8 have the same result on both paths", () => {
    const firsts = [
      0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff,
    ];
    const seconds = [0x22, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0];
    const others = [0x41, 0x7f, 0x80, 0xbf, 0xc0];
    const [before, after] = dense.split("é") as [string, string];
    for (const first of firsts) {
      for (const second of seconds) {
        for (const [third, fourth] of others.flatMap((one) => others.map((other) => [one, other] as const))) {
          const bytes = Buffer.from([first, second, third, fourth]);
          const text = Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
          const [fast, slow] = [readFast([text], shard), readSlow([text], shard)];
          if (fast.error !== slow.error || fast.copies.join() !== slow.copies.join())
            expect(fast, bytes.toString("hex")).toEqual(slow);
        }
      }
    }
  });

  it("that are removed or inserted have the same result on both paths", () => {
    const bases = fc.constantFrom(ordinary, Buffer.from(dense));
    const change = fc.record({
      at: fc.nat({ max: ordinary.length }),
      drop: fc.nat({ max: 20 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        fc
          .constantFrom("}", '"', "\\", ',"a":', "{", "[[", "\\u00", "\xc3", '"sig":{"dataType":"bi"},')
          .map((text) => Buffer.from(text, "latin1")),
      ),
    });
    const property = fc.property(
      bases,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      places,
      (base, changes, cuts) => {
        let bytes = base;
        for (const { at, drop, insert } of changes) {
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + drop)]);
        }
        expectEqual(readFast(cut(bytes, cuts), shard), readSlow([bytes], shard));
      },
    );
    fc.assert(property, seeded(3_000));
  });
});
